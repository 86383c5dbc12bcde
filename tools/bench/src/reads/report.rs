//! The part of the report that is about reads.

use std::fmt::Write as _;

use anyhow::Result;

use super::Row;
use crate::plot::bar;
use crate::turns::Effort;
use crate::wrk::CONNECTIONS;

/// As Markdown: a table of ratios, a plot, and the figures that they are made of.
pub(super) fn table(rows: &[Row], Effort { turn, rounds }: Effort) -> Result<String> {
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
