//! The part of the report that is about writes.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::measure::{Measured, Row};
use crate::turns::{Effort, ratio};

/// As Markdown: a table of ratios, and the figures that they are made of.
pub(super) fn table(rows: &[Row], effort: Effort, tasks: usize) -> Result<String> {
    let mut text = format!(
        "## Writes\n\n\
         Batches of commands by `store::apply`, and the same rows by one statement that commits by itself, from\n\
         {tasks} tasks of 50 tenants on. Commits are durable. The statement finds no repeats and checks no version, and\n\
         row-level security does not filter it. Bare tables have two secondary indexes, no checks, no JSON and a short\n\
         key in the inbox. Rounds: {}, of turns of {} s. A new database is one that PostgreSQL has not analyzed yet.\n\
         No deadlock occurred.\n\n\
         | work | beside | commands a second | aim | PostgreSQL's processor time a command |\n\
         |---|---|---|---|---|\n",
        effort.rounds,
        effort.turn.as_secs_f64(),
    );
    for Row { comparison, measured } in rows {
        let (ours, others) = measured.split_first().context("ours was measured")?;
        for ((way, aim), other) in comparison.beside.iter().zip(others) {
            let rate = ratio(&ours.series.rates, &other.series.rates)?;
            let cost = ratio(&ours.series.costs, &other.series.costs)?;
            writeln!(text, "| {comparison} | {} | {rate} | {aim} | {cost} |", way.name)?;
        }
    }
    text.push_str(
        "\nCommands a second and microseconds of processor time a command (of PostgreSQL; and of the program that\n\
         writes), in turns:\n\n",
    );
    for Row { comparison, measured } in rows {
        let (ours, others) = measured.split_first().context("ours was measured")?;
        write!(text, "- {comparison}: ours {}", figures(ours))?;
        for ((way, _), other) in comparison.beside.iter().zip(others) {
            write!(text, "; {} {}", way.name, figures(other))?;
        }
        text.push('\n');
    }
    Ok(text)
}

fn figures(Measured { series, own }: &Measured) -> String {
    let own: Vec<_> = own.iter().map(|cost| format!("{cost:.0}")).collect();
    format!("{series} and {} µs", own.join(" "))
}
