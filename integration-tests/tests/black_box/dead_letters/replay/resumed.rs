//! A run goes on as it was asked for, whoever resumes it, and where.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use serde_json::json;

use super::fixture::Replay;
use crate::dead_letters::fixture::{Fixture, stderr};
use crate::dead_letters::gateway::{Gateway, Later};

#[tokio::test]
async fn a_run_edits_in_the_same_way_when_its_files_are_gone() {
    let replay = Replay::journal(Fixture::standard().await);
    replay.rejected_many("x", 5).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("written");
        path.to_str().expect("a path").to_owned()
    };
    let patch =
        file("patch", "[\n {\"op\": \"replace\", \"path\": \"\", \"value\": \"edited\"}\n]\n");
    let schema = file("schema", "{\"type\": \"string\"}");
    let edit = ["--edit-patch", &patch, "--schema", &schema, "--canary", "2", "--wait", "1s"];
    let (code, report) = replay.replay(&edit).await;
    assert_eq!((code, &report["counts"]["edited"]), (Some(3), &json!(2)), "{report}");
    folder.close().expect("removed");
    let run = report["run"].as_str().expect("a run");

    // How long it waits is not asked for again.
    let resume = ["replay", "--resume", run, "--accept-silence", "--json"];
    let output = replay.run(&resume).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(replay.consumed_bodies().await, ["\"edited\""; 5]);
    assert_eq!(replay.runs(&[]).await[0]["counts"]["edited"], 5);

    let resume = ["replay", "--resume", run, "--canary", "1"];
    let output = replay.run(&resume).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(stderr(&output).contains("cannot be used with"), "{output:?}");
}

#[tokio::test]
async fn a_sample_a_limit_and_a_start_hold_for_the_whole_run() {
    for (which, selected) in
        [(["--sample", "6"], 6_usize), (["--limit", "6"], 6), (["--newer-than", "7d"], 20)]
    {
        let replay = Replay::journal(Fixture::standard().await);
        replay.rejected_many("old", 20).await;
        let canary = [&which[..], &["--canary", "2", "--wait", "1s"]].concat();
        let (code, report) = replay.replay(&canary).await;
        assert_eq!((code, &report["counts"]["sent"]), (Some(3), &json!(2)), "{report}");
        // They come after the run has begun, and are not a part of it.
        replay.rejected_many("new", 5).await;
        let run = report["run"].as_str().expect("a run");
        let resume = ["replay", "--resume", run, "--accept-silence", "--json"];
        let output = replay.run(&resume).await;
        assert_eq!(output.status.code(), Some(0), "{which:?}: {output:?}");
        assert_eq!(replay.runs(&[]).await[0]["counts"]["sent"], selected, "{which:?}");
        assert_eq!(replay.consume().await.len(), selected, "{which:?}");
        assert_eq!(replay.queues.depth().await, (25 - selected, 0), "{which:?}");
    }
}

#[tokio::test]
async fn a_rate_holds_for_the_whole_run_unless_another_one_is_named() {
    for (anew, expected) in [(&[][..], 1..=2), (&["--rate", "100000"], 3..=10)] {
        let replay = Replay::journal(Fixture::standard().await);
        replay.rejected_many("x", 8).await;
        let (code, report) = replay.replay(&["--rate", "2", "--canary", "1", "--wait", "1s"]).await;
        assert_eq!(code, Some(3), "{report}");
        let run = report["run"].as_str().expect("a run");
        let gateway = Gateway::start(&replay.queues.aws.endpoint, Later::Answered).await;
        let resume = ["replay", "--resume", run, "--accept-silence", "--json"];
        let resumed = replay.command(&gateway.url, &[&resume, anew].concat()).output().await;
        assert_eq!(resumed.expect("a run").status.code(), Some(0));
        let largest = gateway.largest_batch().expect("a batch");
        assert!(expected.contains(&largest), "{anew:?}: {largest} at a time");
    }
}

#[tokio::test]
async fn a_wait_holds_for_the_whole_run_unless_another_one_is_named() {
    let replay = Replay::journal(Fixture::standard().await);
    replay.rejected_many("x", 5).await;
    let (code, report) = replay.replay(&["--canary", "2", "--wait", "1s"]).await;
    assert_eq!(code, Some(3), "{report}");
    let run = report["run"].as_str().expect("a run");
    for (anew, expected) in [(&[][..], "after 1 seconds"), (&["--wait", "2s"], "after 2 seconds")] {
        let output = replay.run(&[&["replay", "--resume", run][..], anew].concat()).await;
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(stderr(&output).contains(expected), "{output:?}");
    }
}

#[tokio::test]
async fn what_failed_is_tried_again_and_counted_once() {
    let replay = Replay::journal(Fixture::standard().await);
    // Binary by its type, and no Base64.
    let details = json!({"attributes": {"a": {"type": "Binary", "value": "%"}}}).to_string();
    replay.queues.put("g", "bad", &[("DeadLetter", &details)]).await;
    replay.queues.put("g", "good", &[]).await;
    let (code, report) = replay.replay(&["--canary", "2", "--wait", "1s"]).await;
    assert_eq!((code, &report["counts"]["failed"]), (Some(3), &json!(1)), "{report}");
    let run = report["run"].as_str().expect("a run");
    // The machine stopped while a line was written: nothing was done by it.
    let file = replay.messages_file(run).expect("a file");
    let mut file = OpenOptions::new().append(true).open(file).expect("opened");
    file.write_all(b"{\"message_id\":\"").expect("written");
    let (code, report) = replay.resume(run).await;
    let counts = &report["counts"];
    assert_eq!((code, &counts["failed"], &counts["sent"]), (Some(3), &json!(1), &json!(1)));
    assert_eq!(replay.runs(&[run]).await.len(), 3, "the run and two messages");
}
