//! The part of the report that is about a queue of commands.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::Effort;
use super::consumer::POLLERS;
use super::measure::{Measured, Turn};
use crate::figures::Spread;
use crate::plot;
use crate::turns::ratio;

/// As Markdown: costs, ratios with a picture, and the figures that they are made of.
pub(super) fn text(measured: &[Measured], effort: Effort) -> Result<String> {
    let mut text = head(effort);
    for of in measured {
        let median = |value: fn(&Turn) -> f64| median(of, value);
        writeln!(
            text,
            "| {} | {:.2} | {:.2} | {:.2} | {:.0} |",
            of.kind.name(),
            median(|turn| turn.own)?,
            median(|turn| turn.postgresql)?,
            median(|turn| turn.queue)?,
            median(|turn| turn.per_second)?,
        )?;
    }
    text.push_str(
        "\nOurs divided by the other's: the less, the better.\n\n\
         | beside | in the process | aim | with PostgreSQL's |\n|---|---|---|---|\n",
    );
    let mut pictures = String::new();
    for other in measured.iter().filter(|of| of.kind != of.kind.ours()) {
        let ours = measured.iter().find(|of| of.kind == other.kind.ours());
        let ours = ours.context("ours was measured")?;
        let own = compared(ours, other, |turn| turn.own)?;
        let name = other.kind.name();
        let (aim, total) = match other.kind.aim() {
            Some(aim) => {
                writeln!(pictures, "{} {name}", plot::bar(own, aim))?;
                let total = compared(ours, other, |turn| turn.own + turn.postgresql)?;
                (format!("at most {aim}"), total.to_string())
            }
            None => ("–".to_owned(), "–".to_owned()),
        };
        writeln!(text, "| {name} | {own} | {aim} | {total} |")?;
    }
    write!(text, "\n```text\n{pictures}```\n\nIn turns, own and PostgreSQL's:\n\n")?;
    for of in measured {
        let turns = of.turns.iter().map(|turn| format!("{:.2} + {:.2}", turn.own, turn.postgresql));
        writeln!(text, "- {}: {}", of.kind.name(), turns.collect::<Vec<_>>().join(", "))?;
    }
    Ok(text)
}

fn head(effort: Effort) -> String {
    format!(
        "## Queue to database\n\n\
         Commands that create tasks, each in a FIFO group of its own, wait in a queue; one process works them off. A record\n\
         against repeats, the task and the fact go into the very same tables in one transaction, the message is deleted\n\
         after the commit, and what fails stays in the queue. Commits are durable. After each turn the database has each\n\
         command's record, task and fact exactly once, or there is no report. SQS is `queue-server`, in memory: right in\n\
         groups, receipts and visibility, without deduplication, redrive and signatures.\n\n\
         Each turn has a new process, which has worked off some commands before, and is stopped while the queue is\n\
         filled. Turns of {} commands, of Lambdas {}; rounds: {}, each from first to last and back.\n\n\
         The peers check the contract (Ajv, Pydantic) and write the messages of a receive by one prepared statement, as the\n\
         tables' owner, whom no row-level security filters; {POLLERS} pollers, with a connection each. They have no metrics,\n\
         traces, log lines of success, health checks, and renew no visibility. Powertools' batch processor handles record by\n\
         record, so it commits each by itself. Lambdas are invoked with ten messages, one invocation at a time; what their\n\
         event source mapping does is AWS's, and not counted. In Python that is `awslambdaric`, in ours the same binary.\n\n\
         Seconds of processor time for 10,000 commands; commands a second depend on what else runs here:\n\n\
         | consumer | its own | PostgreSQL's | the queue's | commands a second |\n|---|---|---|---|---|\n",
        effort.commands, effort.of_lambda, effort.rounds,
    )
}

fn median(of: &Measured, value: fn(&Turn) -> f64) -> Result<f64> {
    let spread = Spread::of(of.turns.iter().map(value).collect());
    Ok(spread.context("no turn was measured")?.median)
}

fn compared(ours: &Measured, other: &Measured, value: fn(&Turn) -> f64) -> Result<Spread> {
    let values = |of: &Measured| of.turns.iter().map(value).collect::<Vec<_>>();
    ratio(&values(ours), &values(other))
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    #[test]
    fn each_peer_is_beside_the_form_of_ours_that_is_hosted_alike() {
        let own = |kind| match kind {
            Kind::OursAsLambda => 2.0,
            Kind::Ours => 1.0,
            _ => 10.0,
        };
        let of = |kind| {
            let turn = Turn { own: own(kind), postgresql: 2.0, queue: 0.1, per_second: 100.0 };
            Measured { kind, turns: vec![turn] }
        };
        let text = text(&Kind::ALL.map(of), Effort::QUICK).unwrap();
        let row =
            |name: &str| text.lines().filter(|it| it.contains(name)).nth(1).unwrap().to_owned();
        assert_eq!(
            row("sqs-consumer with pg"),
            "| sqs-consumer with pg (JavaScript) | **0.10** (0.10–0.10) | at most 0.25 | **0.25** (0.25–0.25) |"
        );
        assert!(row("Powertools with").contains("**0.20** (0.20–0.20) | at most 0.25 | **0.33**"));
        assert!(row("empty handler").ends_with("| **0.10** (0.10–0.10) | – | – |"));
    }
}
