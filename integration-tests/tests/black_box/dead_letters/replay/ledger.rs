//! The ledger says who replayed what, when, why and how it ended.

use serde_json::{Value, json};

use super::fixture::Replay;
use crate::dead_letters::fixture::{Fixture, stderr};

async fn recorded(replay: Replay) {
    replay.rejected("r", &[("g", "{\"id\":\"e-1\",\"type\":\"t\"}".to_owned())]).await;
    let (code, report) = replay.replay(&["--reason", "r*"]).await;
    assert_eq!(code, Some(0), "{report}");
    let runs = replay.runs(&[]).await;
    assert_eq!(runs.len(), 1);
    let run = report["run"].as_str().expect("an id");
    assert_eq!(runs[0]["run"], run);
    assert_eq!(runs[0]["state"], "done");
    assert_eq!(runs[0]["why"], "a test");
    assert!(runs[0]["by"].as_str().is_some_and(|by| by.starts_with("arn:aws:")), "{runs:?}");
    let queue = replay.queues.name();
    let line = json!(["replay", queue, "--why", "a test", "--json", "--reason", "r*"]);
    assert_eq!(runs[0]["arguments"], line);
    assert_eq!(runs[0]["counts"]["sent"], 1);

    let lines = replay.runs(&[run]).await;
    assert_eq!((lines.len(), &lines[0]), (2, &runs[0]));
    let message = &lines[1];
    assert_eq!((&message["state"], &message["event_id"]), (&json!("sent"), &json!("e-1")));
    let sent = replay.consume().await;
    assert_eq!(message["sent_id"].as_str(), sent[0].message_id.as_deref());
    assert_eq!(message["target"], replay.queues.queue.url);
    let members: Vec<_> = message.as_object().expect("an object").keys().collect();
    let expected = [
        "at",
        "edit",
        "event_id",
        "failure",
        "first_id",
        "message_id",
        "sends",
        "sent_id",
        "state",
        "target",
    ];
    assert_eq!(members, expected);

    let printed = replay.run(&["runs"]).await;
    assert!(String::from_utf8_lossy(&printed.stdout).contains(run), "{printed:?}");
    let printed = replay.run(&["runs", run]).await;
    assert!(String::from_utf8_lossy(&printed.stdout).contains("e-1"), "{printed:?}");

    let again = replay.run(&["replay", "--resume", run]).await;
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("is done"), "{again:?}");
    let unknown = replay.run(&["replay", "--resume", "x"]).await;
    assert!(stderr(&unknown).contains("`dead-letters runs` lists them"), "{unknown:?}");
}

#[tokio::test]
async fn a_run_is_recorded_in_files() {
    recorded(Replay::journal(Fixture::fifo().await)).await;
}

#[tokio::test]
async fn a_run_is_recorded_in_a_table() {
    recorded(Replay::table(Fixture::fifo().await).await).await;
}

#[tokio::test]
async fn a_run_in_a_table_is_begun_once() {
    let replay = Replay::table(Fixture::standard().await).await;
    replay.rejected_many("x", 1).await;
    let (_, report) = replay.replay(&[]).await;
    let table = replay.replays().expect("a table");
    let id = report["run"].as_str().expect("an id");
    let (run, until) = table.run(id).await.expect("an answer").expect("the run");
    assert!(table.begin(&run, "another", until).await.is_err(), "it is there already");
    assert!(!table.renew(&run, "another", until).await.expect("an answer"), "it is not another's");
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_is_recorded_with_its_cause() {
    let replay = Replay::table(Fixture::standard().await).await;
    // Binary by its type, and no Base64.
    let details = json!({"attributes": {"a": {"type": "Binary", "value": "%"}}}).to_string();
    replay.queues.put("g", "bad", &[("DeadLetter", &details)]).await;
    replay.queues.put("g", "good", &[]).await;
    let (code, report) = replay.replay(&[]).await;
    let counts = &report["counts"];
    assert_eq!(code, Some(1), "{report}");
    assert_eq!((&counts["sent"], &counts["failed"]), (&json!(1), &json!(1)));
    let run = report["run"].as_str().expect("an id");
    let failed = |message: &&Value| message["state"] == "failed";
    let messages = replay.runs(&[run]).await;
    let failed = messages.iter().find(failed).expect("a failure");
    assert_eq!(failed["failure"], "the attribute a is not what it says");
    assert_eq!(replay.consumed_bodies().await, ["good"]);
    assert_eq!(replay.dead_letters().await, ["bad"]);
}

#[tokio::test]
async fn a_message_that_comes_back_names_its_replays() {
    for replay in
        [Replay::journal(Fixture::fifo().await), Replay::table(Fixture::fifo().await).await]
    {
        replay.rejected("r", &[("g", "body".to_owned())]).await;
        let mut runs = Vec::new();
        for _ in 0..2 {
            let (code, report) = replay.replay(&[]).await;
            assert_eq!(code, Some(0), "{report}");
            runs.insert(0, report["run"].clone());
            let sent = replay.consume().await;
            let details = json!({"reason": "again", "message_id": sent[0].message_id}).to_string();
            replay.queues.put("g", "body", &[("DeadLetter", &details)]).await;
        }
        let listed = replay.queues.json(&["ls", replay.queues.name()]).await;
        let id = listed[0]["message_id"].as_str().expect("an id");
        let shown = replay.run(&["show", replay.queues.name(), id, "--json"]).await;
        let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
        let lineage = shown["lineage"].as_array().expect("an array");
        let of_runs: Vec<_> = lineage.iter().map(|replayed| replayed["run"].clone()).collect();
        assert_eq!(of_runs, runs, "{shown}");
        assert_eq!(lineage[0]["why"], "a test");
    }
}
