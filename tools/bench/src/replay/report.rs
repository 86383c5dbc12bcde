//! The part of the report that is about replay.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::Measured;
use super::mover::{CONNECTIONS, Mover};
use crate::figures::Spread;
use crate::plot::bar;
use crate::turns::ratio;

/// What SQS moves a second at most: `MaxNumberOfMessagesPerSecond` of
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html>.
const REDRIVE: f64 = 500.0;
const REDRIVE_NAME: &str = "redrive of SQS, 500 a second";
const OURS: [Mover; 2] = [Mover::Ours, Mover::Shared];

/// Ours beside another.
struct Row {
    ours: &'static str,
    beside: &'static str,
    rate: Spread,
    cost: Option<Spread>,
    aim: f64,
}

/// As Markdown: a table of ratios, a plot, and the figures that they are made of.
pub(super) fn table(all: &[(Mover, Measured)], messages: usize, rounds: u32) -> Result<String> {
    let mut text = head(messages, rounds);
    let rows = rows(all)?;
    for Row { ours, beside, rate, cost, aim } in &rows {
        let cost = cost.map_or_else(|| "–".to_owned(), |cost| cost.to_string());
        writeln!(text, "| {ours} | {beside} | {rate} | {aim} | {cost} |")?;
    }
    text.push_str("\nMessages a second, as a part of the aim, which is 1.\n\n```\n");
    for Row { ours, beside, rate, aim, .. } in &rows {
        let of_aim = Spread {
            least: rate.least / aim,
            median: rate.median / aim,
            greatest: rate.greatest / aim,
        };
        writeln!(text, "{:<57} {}", format!("{ours}: {beside}"), bar(of_aim, 1.0))?;
    }
    text.push_str(
        "```\n\nMessages a second (seconds of processor time for 10,000: the program's, and the queue server's), in turns:\n\n",
    );
    for (mover, Measured { rates, own, server }) in all {
        let turns = rates.iter().zip(own).zip(server);
        let turns = turns.map(|((rate, own), server)| format!("{rate:.0} ({own:.2}, {server:.2})"));
        writeln!(text, "- {}: {}", mover.name(), turns.collect::<Vec<_>>().join(" "))?;
    }
    Ok(text)
}

fn head(messages: usize, rounds: u32) -> String {
    format!(
        "## Replay\n\n\
         Rounds: {rounds}, of two turns of each program, in which {messages} dead letters go back to the queue that they were in.\n\
         They are commands as `command-worker` dead-letters them, each of a task of its own, from a FIFO queue to a FIFO queue.\n\
         SQS is `queue-server`, in memory. Time counts from the start of a program until no dead letter is left; to fill the\n\
         queue is left out, and so is the second in which ours waits whether more comes. After each turn all messages were\n\
         there, each once, with its body, its attributes and its group.\n\n\
         Ours selects, keeps the order of groups, restores messages, and writes each to its ledger before it is sent and after\n\
         it. The ledger is in files on a disk, as it is without settings, or in DynamoDB. That is the server of the tests, in\n\
         Python: replay waits for it most of the time, with a fifth of the messages. Beside ours are:\n\n\
         - {bare}: a program that does nothing but these three requests for ten messages, by the same SDK, {CONNECTIONS} at\n  \
         a time, as many as ours has batches on their way. No program that moves messages of SQS does with less.\n\
         - {mover} 0.0.6, in Python. It works on one batch after the other, as the `sqsmover` that is written in Go, and\n  \
         forgets groups, so it moves the same messages between standard queues.\n\
         - {REDRIVE_NAME}: what `StartMessageMoveTask` allows, by its documentation. It was not measured.\n\n\
         | work | beside | messages a second | aim | processor time a message |\n\
         |---|---|---|---|---|\n",
        bare = Mover::Bare.name(),
        mover = Mover::Python.name(),
    )
}

fn rows(all: &[(Mover, Measured)]) -> Result<Vec<Row>> {
    let of = |mover: Mover| {
        let measured = all.iter().find(|(other, _)| *other == mover).map(|(_, measured)| measured);
        measured.with_context(|| format!("{} was not measured", mover.name()))
    };
    let mut rows = Vec::new();
    for mover in OURS {
        let measured = of(mover)?;
        let ours = mover.name();
        for (other, aim) in [(Mover::Bare, 0.7), (Mover::Python, 3.0)] {
            let (beside, other) = (other.name(), of(other)?);
            let rate = ratio(&measured.rates, &other.rates)?;
            let cost = Some(ratio(&measured.own, &other.own)?);
            rows.push(Row { ours, beside, rate, cost, aim });
        }
        let redrive = vec![REDRIVE; measured.rates.len()];
        let rate = ratio(&measured.rates, &redrive)?;
        rows.push(Row { ours, beside: REDRIVE_NAME, rate, cost: None, aim: 10.0 });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_stands_beside_each_of_the_others() {
        let measured = |rate| Measured { rates: vec![rate], own: vec![1.0], server: vec![0.5] };
        let all = [
            (Mover::Ours, measured(10_000.0)),
            (Mover::Bare, measured(20_000.0)),
            (Mover::Python, measured(2_000.0)),
            (Mover::Shared, measured(1_000.0)),
        ];
        let text = table(&all, 5_000, 1).unwrap();
        for line in [
            "| ours, ledger in files | receive, send and delete | **0.50** (0.50–0.50) | 0.7 |",
            "| ours, ledger in files | sqs_mover | **5.00** (5.00–5.00) | 3 |",
            "| ours, ledger in DynamoDB | redrive of SQS, 500 a second | **2.00** (2.00–2.00) | 10 | – |",
            "- sqs_mover: 2000 (1.00, 0.50)",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(table(&all[..2], 5_000, 1).is_err());
    }
}
