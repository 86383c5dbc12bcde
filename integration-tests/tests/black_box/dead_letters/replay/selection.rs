//! What is replayed, and where to.

use serde_json::json;

use super::fixture::{Replay, bodies};
use crate::dead_letters::fixture::{Fixture, stderr};
use crate::dead_letters::gateway::{Gateway, Later};

#[tokio::test]
async fn a_dry_run_counts_and_changes_nothing() {
    let replay = Replay::journal(Fixture::standard().await);
    replay.rejected_many("x", 12).await;
    replay.rejected_many("y", 3).await;
    let queue = replay.queues.name();
    let arguments = ["replay", queue, "--dry-run", "--reason", "x"];
    let report = &replay.queues.json(&arguments).await[0];
    let source = replay.queues.queue.url.rsplit('/').next().expect("a name");
    assert_eq!(report["targets"], json!({source: 12}), "{report}");
    assert_eq!(report["failures"], json!({}));
    assert_eq!(report["groups"][0]["count"], 12);
    assert_eq!((&report["read"], &report["complete"]), (&json!(15), &json!(true)));
    let output = replay.run(&arguments).await;
    assert!(stderr(&output).contains("12 would be sent to"), "{output:?}");
    assert_eq!(replay.queues.depth().await, (15, 0));
    assert_eq!(replay.runs(&[]).await.len(), 0, "it is no run");
}

#[tokio::test]
async fn a_limit_and_a_rate_bound_a_run() {
    let replay = Replay::journal(Fixture::standard().await);
    replay.rejected_many("x", 10).await;
    let gateway = Gateway::start(&replay.queues.aws.endpoint, Later::Answered).await;
    let run = replay.start(&gateway.url, &["--limit", "7", "--rate", "2"]);
    let run = run.wait_with_output().await.expect("an end");
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(gateway.largest_batch() <= Some(2), "{:?} at a time", gateway.largest_batch());
    assert_eq!(replay.queues.depth().await, (3, 0));
    assert_eq!(replay.consume().await.len(), 7);
}

#[tokio::test]
async fn a_sample_is_chosen_at_random_and_no_other_message_moves() {
    let replay = Replay::journal(Fixture::standard().await);
    replay.rejected_many("x", 30).await;
    let (code, report) = replay.replay(&["--sample", "7"]).await;
    assert_eq!((code, &report["counts"]["sent"]), (Some(0), &json!(7)), "{report}");
    assert_eq!(report["chosen"].as_array().map(Vec::len), Some(7));
    assert_eq!(replay.queues.depth().await, (23, 0));
    assert_ne!(replay.consumed_bodies().await, bodies(7), "one in two million by chance");
    let output =
        replay.run(&["replay", replay.queues.name(), "--why", "a", "--sample", "1001"]).await;
    assert!(stderr(&output).contains("1000 messages at most"), "{output:?}");
}

#[tokio::test]
async fn a_message_whose_queue_is_unknown_stays_and_says_why() {
    let replay = Replay::journal(Fixture::standard().await);
    let details = json!({"reason": "r", "queue": "arn:aws:sqs:x:1:elsewhere"}).to_string();
    replay.queues.put("g", "body", &[("DeadLetter", &details)]).await;
    let queue = replay.queues.name();
    let output = replay.run(&["replay", queue, "--why", "a test"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("its queue elsewhere has another"), "{output:?}");
    assert_eq!(replay.queues.depth().await, (1, 0));

    let url = replay.queues.queue.url.clone();
    let (code, report) = replay.replay(&["--to", &url]).await;
    assert_eq!((code, &report["counts"]["sent"]), (Some(0), &json!(1)), "{report}");
    assert_eq!(replay.consumed_bodies().await, ["body"]);
}

#[tokio::test]
async fn a_queue_without_a_source_needs_to() {
    let replay = Replay::journal(Fixture::standard().await);
    let lonely = format!("{}-lonely", replay.queues.name());
    let created = replay.queues.sqs.create_queue().queue_name(&lonely).send().await;
    created.expect("a queue");
    let output = replay.run(&["replay", &lonely, "--why", "a test"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("name the queue with `--to`"), "{output:?}");
    let output = replay.run(&["replay", &lonely, "--why", "a test", "--to", &lonely]).await;
    assert!(stderr(&output).contains("is the queue that is replayed"), "{output:?}");
    assert_eq!(replay.runs(&[]).await.len(), 0, "nothing began");
    for without in [&["replay", &*lonely][..], &["replay", &lonely, "--why", ""]] {
        let output = replay.run(without).await;
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("--why"), "{output:?}");
    }
}
