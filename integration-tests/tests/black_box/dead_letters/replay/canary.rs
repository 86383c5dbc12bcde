//! A few go first, and the others only if these do not come back.

use aws_sdk_sqs::types::Message;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use super::fixture::Replay;
use crate::dead_letters::fixture::{Fixture, signal, stderr};
use crate::dead_letters::stopping::{Place, StoppingGateway};
use crate::support::system::eventually;

/// Consumes for good, or rejects as a worker does, until the run has ended.
async fn consumer(replay: &Replay, rejects: bool) -> ! {
    loop {
        for message in replay.consume().await {
            if rejects {
                reject(replay, &message).await;
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
}

async fn reject(replay: &Replay, message: &Message) {
    let details = json!({"reason": "still", "message_id": message.message_id}).to_string();
    let body = message.body.as_deref().expect("a body");
    let attributes = [("DeadLetterReason", "still"), ("DeadLetter", &details)];
    replay.queues.put(body, body, &attributes).await;
}

/// What was sent meanwhile, at least one message.
async fn consumed(replay: &Replay) -> Vec<Message> {
    eventually("a message is sent", async || {
        let messages = replay.consume().await;
        (!messages.is_empty()).then_some(messages)
    })
    .await
}

async fn replayed(replay: &Replay, rejects: bool, arguments: &[&str]) -> (Option<i32>, Value) {
    tokio::select! {
        ended = replay.replay(arguments) => ended,
        never = consumer(replay, rejects) => never,
    }
}

#[tokio::test]
async fn a_canary_that_comes_back_stops_the_run() {
    for queues in [Fixture::fifo().await, Fixture::standard().await] {
        let replay = Replay::journal(queues);
        replay.rejected_many("bad", 30).await;
        let (code, report) = replayed(&replay, true, &["--canary", "3"]).await;
        assert_eq!(code, Some(3), "{report}");
        let counts = &report["counts"];
        assert_eq!((&counts["sent"], &counts["returned"]), (&json!(3), &json!(3)), "{report}");
        assert_eq!(report["state"], "stopped");
        let why = report["stopped_because"].as_str().expect("a text");
        assert_eq!(why, "3 of 3 messages came back, the last one for still");
        assert_eq!(replay.queues.depth().await, (30, 0));

        // The cause is mended, and the run goes on. What came back is not a part of it.
        let run = report["run"].as_str().expect("an id");
        let resumed = tokio::select! {
            ended = replay.resume(run) => ended,
            never = consumer(&replay, false) => never,
        };
        assert_eq!((resumed.0, &resumed.1["counts"]["sent"]), (Some(0), &json!(30)));
        assert_eq!(replay.queues.depth().await, (3, 0));
    }
}

#[tokio::test]
async fn a_ramp_whose_messages_are_consumed_goes_on_to_the_end() {
    let replay = Replay::journal(Fixture::fifo().await);
    replay.rejected_many("fixed", 30).await;
    let (code, report) = replayed(&replay, false, &["--canary", "1", "--ramp=2,4"]).await;
    assert_eq!((code, &report["counts"]["sent"]), (Some(0), &json!(30)), "{report}");
    assert_eq!(report["stages_passed"], 3);
    assert_eq!(replay.queues.depth().await, (0, 0));
}

#[tokio::test]
async fn a_canary_that_nobody_consumes_stops_the_run_unless_silence_is_enough() {
    let replay = Replay::journal(Fixture::standard().await);
    replay.rejected_many("x", 5).await;
    let queue = replay.queues.name();
    let why = ["replay", queue, "--why", "a test", "--canary", "2", "--wait", "1s"];
    let output = replay.run(&why).await;
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(stderr(&output).contains("nobody knows yet what became of the 2"), "{output:?}");
    assert!(stderr(&output).contains("dead-letters replay --resume"), "{output:?}");
    assert_eq!(replay.queues.depth().await, (3, 0));
    let (code, report) =
        replay.replay(&["--canary", "2", "--wait", "1s", "--accept-silence"]).await;
    assert_eq!((code, &report["counts"]["sent"]), (Some(0), &json!(3)), "{report}");
}

#[tokio::test]
async fn a_ramp_goes_on_at_the_stage_that_stopped() {
    let replay = Replay::journal(Fixture::standard().await);
    replay.rejected_many("x", 9).await;
    let stopping = async {
        // The first stage is consumed, the second one comes back.
        while replay.consume().await.is_empty() {
            sleep(Duration::from_millis(50)).await;
        }
        consumer(&replay, true).await
    };
    let (code, report) = tokio::select! {
        ended = replay.replay(&["--ramp=1,2,3"]) => ended,
        never = stopping => never,
    };
    assert_eq!((code, &report["stages_passed"]), (Some(3), &json!(1)), "{report}");
    let run = report["run"].as_str().expect("an id");
    let (code, report) = tokio::select! {
        ended = replay.resume(run) => ended,
        never = consumer(&replay, false) => never,
    };
    assert_eq!((code, &report["stages_passed"]), (Some(0), &json!(3)), "{report}");
    assert_eq!(report["counts"]["sent"], json!(9));
}

#[tokio::test]
async fn what_comes_back_while_others_are_sent_is_counted_and_not_sent_again() {
    let replay = Replay::journal(Fixture::standard().await);
    replay.rejected_many("x", 100).await;
    let run = replay.start(&replay.queues.aws.endpoint, &["--rate", "2"]);
    let first = consumed(&replay).await;
    let mut arrived = first.len();
    reject(&replay, &first[0]).await;
    eventually("the run receives it", async || (replay.queues.depth().await.0 == 0).then_some(()))
        .await;
    for _ in 0..2 {
        arrived += consumed(&replay).await.len();
    }
    signal(&run, Signal::SIGINT);
    let run = run.wait_with_output().await.expect("an end");
    let report: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let counts = &report["counts"];
    assert_eq!((&counts["returned"], &report["newer"]), (&json!(1), &json!(0)), "{report}");
    arrived += replay.consume().await.len();
    assert_eq!(counts["sent"], json!(arrived));
    assert_eq!(replay.queues.depth().await, (101 - arrived, 0));
}

#[tokio::test]
async fn a_canary_that_was_sent_before_the_process_was_killed_is_watched() {
    let replay = Replay::journal(Fixture::standard().await);
    replay.rejected_many("x", 10).await;
    let endpoint = &replay.queues.aws.endpoint;
    let gateway = StoppingGateway::start(endpoint, "DeleteMessageBatch", 1, Place::Before).await;
    let mut process = replay.start(&gateway.url, &["--canary", "2"]);
    gateway.reached().await;
    process.kill().await.expect("killed");
    gateway.release(&replay.queues).await;
    for message in consumed(&replay).await {
        reject(&replay, &message).await;
    }
    let run = replay.runs(&[]).await.pop().expect("a run");
    let (code, report) = tokio::select! {
        ended = replay.resume(run["run"].as_str().expect("an id")) => ended,
        never = consumer(&replay, false) => never,
    };
    assert_eq!(code, Some(3), "{report}");
    let why = report["stopped_because"].as_str().expect("a text");
    assert_eq!(why, "2 of 4 messages came back, the last one for still");
}
