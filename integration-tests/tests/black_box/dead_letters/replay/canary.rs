//! A few go first, and the others only if these do not come back.

use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use super::fixture::Replay;
use crate::dead_letters::fixture::{Fixture, stderr};

/// Consumes for good, or rejects as a worker does, until the run has ended.
async fn consumer(replay: &Replay, rejects: bool) -> ! {
    loop {
        for message in replay.consume().await {
            if rejects {
                let details = json!({"reason": "still", "message_id": message.message_id});
                let details = details.to_string();
                let body = message.body.as_deref().expect("a body");
                let attributes = [("DeadLetterReason", "still"), ("DeadLetter", &details)];
                replay.queues.put(body, body, &attributes).await;
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
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
