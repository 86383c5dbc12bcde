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
pub(crate) struct Report(String);

impl Report {
    /// Made by `command` on a machine.
    pub(crate) fn new(machine: &str, command: &str) -> Self {
        Self(format!(
            "# Benchmarks\n\nMade by `{command}` on {machine}; servers, programs and load share it.\n\n\
             Two programs do each work in turn (ours, other, other, ours), so that what changes slowly on the machine\n\
             meets both alike. Each figure is ours divided by the other's: the median of all turns, with the least and the\n\
             greatest.\n"
        ))
    }

    /// Adds a part.
    pub(crate) fn push(&mut self, part: &str) {
        self.0.push('\n');
        self.0.push_str(part);
    }

    /// As Markdown.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// The part about reads: a table of ratios, a plot, and the figures that they are made of.
pub(crate) fn reads(rows: &[Row], Effort { turn, rounds }: Effort) -> Result<String> {
    let mut text = format!(
        "## Reads\n\n\
         {rounds} rounds, {} seconds a turn, `wrk` with {CONNECTIONS} connections. Ours checks a token, counts the request\n\
         against the caller's limit, writes a log line and counts metrics. axum does none of that. Fastify and FastAPI, as\n\
         services are written with them, check the token and write a log line, in one process with one thread for requests.\n\n\
         | work | beside | requests a second | aim | processor time a request | memory, MiB, idle and after |\n\
         |---|---|---|---|---|---|\n",
        turn.as_secs(),
    );
    for Row { work, compared, resident: (idle, loaded) } in rows {
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
    for Row { work, compared, .. } in rows {
        let works = format!("{}: {}", work.name(), work.beside());
        writeln!(text, "{works:<77} {}", bar(compared.rate()?, work.aim()))?;
    }
    text.push_str(
        "```\n\nRequests a second and microseconds of processor time a request, in turns:\n\n",
    );
    for Row { work, compared, .. } in rows {
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
