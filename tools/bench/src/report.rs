//! The report: a table of ratios, and a plot of them.

use std::fmt::Write as _;

use anyhow::Result;

use crate::figures::Spread;
use crate::reads::Row;
use crate::turns::Effort;
use crate::wrk::CONNECTIONS;

/// Characters of a bar for a ratio of one.
const BAR: f64 = 40.0;

/// What was measured so far.
pub(crate) struct Report {
    machine: String,
    command: &'static str,
    effort: Effort,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(machine: String, is_full: bool, effort: Effort) -> Self {
        let command = if is_full { "make bench ARGS=--full" } else { "make bench" };
        Self { machine, command, effort, rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// As Markdown.
    pub(crate) fn text(&self) -> Result<String> {
        let Effort { turn, rounds } = self.effort;
        let mut text = format!(
            "# Benchmarks\n\n\
             Made by `{}` on {}; servers, programs and load share it.\n\n\
             Each work is done by ours and by another program in turn (ours, other, other, ours; {rounds} rounds,\n\
             {} seconds a turn, `wrk` with {CONNECTIONS} connections). Ours checks a token, counts the request against\n\
             the caller's limit, writes a log line and counts metrics; the other does none of that. Each figure is\n\
             ours divided by the other's: the median of all turns, with the least and the greatest.\n\n\
             | work | beside | requests a second | aim | processor time a request | memory, MiB, idle and after |\n\
             |---|---|---|---|---|---|\n",
            self.command,
            self.machine,
            turn.as_secs(),
        );
        for Row { work, compared, resident: (idle, loaded) } in &self.rows {
            let (rate, cost) = (compared.rate()?, compared.cost()?);
            writeln!(
                text,
                "| {} | {} | {rate} | {} | {cost} | {idle:.1}, {loaded:.1} |",
                work.name(),
                work.beside(),
                work.aim(),
            )?;
        }
        text.push_str(
            "\nRequests a second, as a part of the other program's; `|` is the aim.\n\n```\n",
        );
        for Row { work, compared, .. } in &self.rows {
            writeln!(text, "{:<30} {}", work.name(), bar(compared.rate()?, work.aim()))?;
        }
        text.push_str(
            "```\n\nRequests a second and microseconds of processor time a request, in turns:\n\n",
        );
        for Row { work, compared, .. } in &self.rows {
            writeln!(
                text,
                "- {}: ours {}; {} {}",
                work.name(),
                compared.ours,
                work.beside(),
                compared.other
            )?;
        }
        Ok(text)
    }
}

/// As long as the ratio, with a mark at the aim.
fn bar(ratio: Spread, aim: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is rounded for a picture"
    )]
    let cells = |part: f64| (part.clamp(0.0, 2.0) * BAR).round() as usize;
    let (long, mark) = (cells(ratio.median), cells(aim));
    let cell = |at| {
        if at == mark {
            '|'
        } else if at < long {
            '█'
        } else {
            ' '
        }
    };
    let bar: String = (0..=long.max(mark)).map(cell).collect();
    format!("{} {:.2}", bar.trim_end(), ratio.median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_ratio() {
        let bar_of = |ratio| bar(Spread::of(vec![ratio]).unwrap(), 0.1);
        assert_eq!(bar_of(0.05), "██  | 0.05");
        assert_eq!(bar_of(0.2), "████|███ 0.20");
    }
}
