//! The part of the report that is about growth.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::commands::Left;
use super::{CLIENTS, Row, WORKS};
use crate::figures::Spread;
use crate::plot::bar;
use crate::turns::{Effort, ratio};

/// Times as long as with the fewest tasks.
const AIM: f64 = 1.2;

/// As Markdown: a table of ratios, a plot, the figures that they are made of, and what commands leave.
pub(super) fn table(rows: &[Row], left: &Left, effort: Effort) -> Result<String> {
    let mut text = format!(
        "## Growth\n\n\
         The same work in databases of different sizes, in turn, from the fewest tasks to the most and back: {}, turns\n\
         of {} s. Tasks are of 50 tenants, over a year, three quarters of them completed; the inbox has a command of each.\n\
         They were filled in by SQL, and indexes made afterwards. Lists are those of one tenant, over HTTP with\n\
         `cache-control: no-cache`, so that PostgreSQL is asked each time; `wrk` with {CLIENTS} connections. Creates are written by\n\
         `store::apply` with durable commits. Compared is the time for each request or command with that for the fewest\n\
         tasks. PostgreSQL has its defaults: 128 MiB of buffers, and the files are in the kernel's cache as far as it goes.\n\n\
         | work | tasks | times as long | aim | times the processor time of PostgreSQL |\n|---|---|---|---|---|\n",
        rounds(effort.rounds),
        effort.turn.as_secs_f64(),
    );
    for Compared { name, tasks, time, cost } in compared(rows)? {
        writeln!(text, "| {name} | {tasks} | {time} | ≤ {AIM} | {cost} |")?;
    }
    text.push_str("\nTimes as long; `|` is the aim.\n\n```\n");
    for Compared { name, tasks, time, .. } in compared(rows)? {
        writeln!(text, "{:<56} {}", format!("{name}, {tasks}"), bar(time, AIM))?;
    }
    text.push_str(
        "```\n\nRequests or commands a second, and microseconds of PostgreSQL's processor time for each, in turns:\n\n",
    );
    for Row { work, sizes } in rows {
        for (tasks, series) in sizes {
            writeln!(text, "- {}, {tasks} tasks: {series}", work.name())?;
        }
    }
    write!(text, "{}", after_commands(left))?;
    Ok(text)
}

fn after_commands(left: &Left) -> String {
    let Left { commands, per_second, inbox, outbox, lag, caught_up } = left;
    format!(
        "\n### What commands leave\n\n\
         {commands:.0} creates by {CREATES} into an empty database, {per_second:.0} a second, while `outbox-relay` publishes\n\
         their facts to one FIFO queue; then both tables were vacuumed, as autovacuum does. With indexes:\n\n\
         | what | value |\n|---|---|\n\
         | inbox, bytes a command (kept for 30 days) | {inbox:.0} |\n\
         | outbox, bytes for each command of which a fact went through it; all are published | {outbox:.1} |\n\
         | age of the oldest unpublished fact at the end of each second, s | {lag} |\n\
         | from the last command until nothing was left to publish, s | {caught_up:.1} |\n",
        CREATES = WORKS.last().map_or("", |work| work.name().trim_start_matches("creates, ")),
    )
}

fn rounds(count: u32) -> String {
    if count == 1 { "1 round".to_owned() } else { format!("{count} rounds") }
}

/// A size beside the smallest.
struct Compared {
    name: &'static str,
    tasks: i64,
    time: Spread,
    cost: Spread,
}

fn compared(rows: &[Row]) -> Result<Vec<Compared>> {
    let mut all = Vec::new();
    for Row { work, sizes } in rows {
        let ((_, fewest), more) = sizes.split_first().context("sizes were measured")?;
        for (tasks, series) in more {
            all.push(Compared {
                name: work.name(),
                tasks: *tasks,
                time: ratio(&fewest.rates, &series.rates)?,
                cost: ratio(&series.costs, &fewest.costs)?,
            });
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turns::Series;

    #[test]
    fn sizes_are_compared_with_the_smallest() {
        let series = |rate, cost| Series { rates: vec![rate], costs: vec![cost] };
        let sizes = vec![(10, series(100.0, 1.0)), (100, series(50.0, 3.0))];
        let work = *WORKS.first().unwrap();
        let all = compared(&[Row { work, sizes }]).unwrap();
        assert_eq!(all.len(), 1);
        let Compared { tasks, time, cost, .. } = all.first().unwrap();
        assert_eq!(
            (*tasks, time.to_string(), cost.to_string()),
            (100, "**2.00** (2.00–2.00)".into(), "**3.00** (3.00–3.00)".into())
        );
    }
}
