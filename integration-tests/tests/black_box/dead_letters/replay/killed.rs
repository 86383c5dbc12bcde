//! The process is killed at each step, and another one goes on.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::fixture::{Replay, bodies};
use crate::dead_letters::fixture::Fixture;
use crate::dead_letters::stopping::{Place, StoppingGateway};

/// Every request of a replay that changes something, and the receive.
const STEPS: [&str; 5] = [
    "PutItem",
    "ReceiveMessage",
    "BatchExecuteStatement",
    "SendMessageBatch",
    "DeleteMessageBatch",
];
const LONG: Duration = Duration::from_mins(1);
const MESSAGES: usize = 25;

/// Kills at the step's request of that number, and resumes.
async fn killed(fifo: bool, table: bool, step: &str, number: usize, place: Place) {
    let what = format!("{step} {number} {place:?}, fifo: {fifo}, table: {table}");
    let queues = if fifo { Fixture::fifo().await } else { Fixture::standard().await };
    let replay = if table { Replay::table(queues).await } else { Replay::journal(queues) };
    replay.rejected_many("x", MESSAGES).await;
    let gateway = StoppingGateway::start(&replay.queues.aws.endpoint, step, number, place).await;
    let mut process = replay.start(&gateway.url, &[]);
    assert!(timeout(LONG, gateway.reached()).await.is_ok(), "{what} is not reached");
    process.kill().await.expect("killed");
    // What it held is visible again, as after its timeout.
    gateway.release(&replay.queues).await;

    let runs = replay.runs(&[]).await;
    let report = if let Some(run) = runs.first().and_then(|run| run["run"].as_str()) {
        replay.resume(run).await
    } else {
        // It had not begun.
        replay.replay(&[]).await
    };
    assert_eq!(report.0, Some(0), "{what}: {report:?}");
    assert_eq!(report.1["counts"]["sent"], json!(MESSAGES), "{what}: {report:?}");
    assert_eq!(replay.queues.depth().await, (0, 0), "{what}");

    let mut times: HashMap<String, usize> = HashMap::new();
    for body in replay.consumed_bodies().await {
        *times.entry(body).or_default() += 1;
    }
    let twice = times.values().filter(|times| **times > 1).count();
    let perhaps = report.1["counts"]["perhaps_twice"].as_u64().expect("a number");
    let mut arrived: Vec<_> = times.into_keys().collect();
    arrived.sort_by_key(|body| body.parse::<usize>().expect("a number"));
    assert_eq!(arrived, bodies(MESSAGES), "{what}");
    // A FIFO queue ignores the repeat; of a standard queue the ledger says what may have come twice.
    assert!(
        if fifo { twice == 0 } else { twice as u64 <= perhaps },
        "{what}: {twice} of {perhaps}"
    );
}

async fn killed_at_each_step(fifo: bool, table: bool) {
    let mut runs = Vec::new();
    for step in STEPS {
        if !table && matches!(step, "PutItem" | "BatchExecuteStatement") {
            continue;
        }
        for place in [Place::Before, Place::After] {
            runs.push(killed(fifo, table, step, 1, place));
        }
        // Of a batch the claim comes first, and then what became of it.
        if step == "BatchExecuteStatement" {
            runs.push(killed(fifo, table, step, 3, Place::Before));
            runs.push(killed(fifo, table, step, 4, Place::After));
        }
    }
    futures::future::join_all(runs).await;
}

#[tokio::test]
async fn each_message_of_a_fifo_queue_arrives_once_by_the_table() {
    killed_at_each_step(true, true).await;
}

#[tokio::test]
async fn each_message_of_a_standard_queue_arrives_by_the_table() {
    killed_at_each_step(false, true).await;
}

#[tokio::test]
async fn each_message_of_a_fifo_queue_arrives_once_by_files() {
    killed_at_each_step(true, false).await;
}

#[tokio::test]
async fn a_limit_counts_what_was_sent_before_the_kill_once() {
    let replay = Replay::journal(Fixture::standard().await);
    replay.rejected_many("x", MESSAGES).await;
    let endpoint = &replay.queues.aws.endpoint;
    let gateway = StoppingGateway::start(endpoint, "DeleteMessageBatch", 1, Place::Before).await;
    let mut process = replay.start(&gateway.url, &["--limit", "10"]);
    assert!(timeout(LONG, gateway.reached()).await.is_ok(), "the deletion is not reached");
    process.kill().await.expect("killed");
    gateway.release(&replay.queues).await;
    let run = replay.runs(&[]).await.pop().expect("a run");
    let (code, report) = replay.resume(run["run"].as_str().expect("an id")).await;
    assert_eq!((code, &report["counts"]["sent"]), (Some(0), &json!(10)), "{report}");
    assert_eq!(replay.queues.depth().await, (MESSAGES - 10, 0));
    assert_eq!(replay.consume().await.len(), 10);
}
