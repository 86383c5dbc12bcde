//! One process at a time works on a run.

use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::fixture::Replay;
use crate::dead_letters::fixture::{Fixture, signal, stderr};
use crate::dead_letters::tool::Running;
use crate::support::system::eventually;

const LONG: Duration = Duration::from_mins(3);

/// A run that takes a second for each message, and its id.
async fn begun(replay: &Replay, messages: usize) -> (Running, String) {
    replay.rejected_many("x", messages).await;
    let process = replay.start(&replay.queues.aws.endpoint, &["--rate", "1"]);
    let run = eventually("a message was sent", async || {
        let run = replay.runs(&[]).await.pop()?["run"].as_str()?.to_owned();
        let messages = replay.runs(&[&run]).await;
        messages.iter().any(|message| message["state"] == "sent").then_some(run)
    });
    let run = run.await;
    (process, run)
}

async fn ended(process: Running) -> Output {
    let output = timeout(LONG, process.wait_with_output()).await;
    output.expect("an end").expect("an output")
}

#[tokio::test]
async fn a_run_in_a_table_is_its_process_own_until_it_is_taken_over() {
    let replay = Replay::table(Fixture::standard().await).await;
    let (first, run) = begun(&replay, 100).await;
    // It renews its hold: nobody gets the run by waiting for its end.
    let second = replay.run(&["replay", "--resume", &run, "--json"]).await;
    assert_eq!(second.status.code(), Some(1), "{second:?}");
    assert!(stderr(&second).contains("may still work on"), "{second:?}");
    assert!(stderr(&second).contains("error: another process works on the run"), "{second:?}");

    let third = replay.run(&["replay", "--resume", &run, "--take-over", "--limit", "1"]).await;
    assert_eq!(third.status.code(), Some(2), "its filters are those of its begin: {third:?}");
    let (_, resumed) = replay.resume(&run).await;
    assert_eq!(resumed["state"], "done", "{resumed}");
    let first = ended(first).await;
    assert_eq!(first.status.code(), Some(1), "{first:?}");
    assert!(stderr(&first).contains("another process has taken the run"), "{first:?}");
    assert_eq!(replay.queues.depth().await.1, 0, "it releases what it held");
    let recorded = replay.runs(&[]).await.pop().expect("the run");
    assert_eq!(recorded["state"], "done", "the one that was taken over from writes nothing");
    let sent = replay.runs(&[&run]).await;
    let sent = sent.iter().filter(|message| message["state"] == "sent").count();
    assert_eq!(replay.consume().await.len(), sent, "each was sent once");
}

#[tokio::test]
async fn a_run_in_files_is_locked_while_its_process_lives() {
    let replay = Replay::journal(Fixture::standard().await);
    let (first, run) = begun(&replay, 20).await;
    let second = replay.run(&["replay", "--resume", &run, "--take-over"]).await;
    assert_eq!(second.status.code(), Some(1), "{second:?}");
    assert!(stderr(&second).contains("another process works on this run"), "{second:?}");
    signal(&first, nix::sys::signal::Signal::SIGINT);
    let first = ended(first).await;
    let report: Value = serde_json::from_slice(&first.stdout).expect("JSON");
    assert_eq!(report["stopped_because"], "interrupted", "{first:?}");
    let (code, report) = replay.resume(&run).await;
    assert_eq!((code, &report["counts"]["sent"]), (Some(0), &20.into()), "{report}");
    assert_eq!(replay.consume().await.len(), 20);
}
