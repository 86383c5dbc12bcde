//! `dead-letters purge`: exactly what is exported is deleted.

use std::fs;
use std::process::{Command, Output};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::export::{argument, lines};
use super::fixture::{Fixture, signal, stderr};
use super::gateway::{Gateway, Later};
use crate::support::system::binary;

/// The bodies of a queue, in the order in which SQS hands them out.
async fn bodies(fixture: &Fixture) -> Vec<String> {
    let received = fixture.receive(&fixture.queue.dead_letter_url, 0).await;
    received.into_iter().map(|message| message.body.expect("a body")).collect()
}

fn exported(text: &str) -> Vec<String> {
    let lines = lines(text);
    let messages = lines.iter().filter(|line| line["kind"] == "message");
    messages.map(|line| line["body"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn what_fits_is_exported_and_deleted_and_the_others_stay_in_order() {
    let fixture = Fixture::fifo().await;
    let groups = ["a", "b", "a", "b", "a", "c", "c", "b"];
    let messages: Vec<_> =
        groups.iter().enumerate().map(|(number, group)| (*group, number.to_string())).collect();
    fixture.fill(&messages).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a.ndjson");
    let name = fixture.name();
    let arguments = [
        "purge",
        name,
        "--export",
        argument(&file),
        "--body",
        "[0236]",
        "--yes",
        "--why",
        "a test",
    ];
    let summary = &fixture.json(&arguments).await[0];
    let expected = json!({
        "queue": name, "exports": [file], "read": 8, "deleted": 4, "undeleted": 0, "in_queue": 8,
        "complete": true,
    });
    assert_eq!(*summary, expected);
    assert_eq!(fixture.depth().await, (4, 0));
    let left = bodies(&fixture).await;
    let of = |bodies: &[&str]| -> Vec<String> {
        left.iter().filter(|body| bodies.contains(&body.as_str())).cloned().collect()
    };
    assert_eq!((of(&["1", "7"]), of(&["4", "5"]).len()), (vec!["1".to_owned(), "7".to_owned()], 2));
    let mut deleted = exported(&fs::read_to_string(&file).expect("a file"));
    deleted.sort();
    assert_eq!(deleted, ["0", "2", "3", "6"]);
    // And back.
    fixture.printed(&["import", argument(&file), name]).await;
    assert_eq!(fixture.depth().await, (8, 0));
}

#[tokio::test]
async fn it_goes_beyond_what_sqs_hands_out_of_a_group_at_a_time() {
    let fixture = Fixture::fifo().await;
    let messages: Vec<_> = (0..35).map(|number| ("long", number.to_string())).collect();
    fixture.fill(&messages).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a.ndjson");
    let arguments =
        ["purge", fixture.name(), "--export", argument(&file), "--yes", "--why", "a test"];
    fixture.printed(&[&arguments[..], &["--limit", "32"]].concat()).await;
    assert_eq!(fixture.depth().await, (3, 0));
    let deleted = exported(&fs::read_to_string(&file).expect("a file"));
    assert_eq!(deleted, (0..32).map(|number| number.to_string()).collect::<Vec<_>>());
    fixture.printed(&["purge", fixture.name(), "--no-export", "--yes", "--why", "a test"]).await;
    assert_eq!(fixture.depth().await, (0, 0));
}

#[tokio::test]
async fn in_s3_each_round_is_an_object_of_its_own() {
    let fixture = Fixture::fifo().await;
    let messages: Vec<_> = (0..15).map(|number| ("long", number.to_string())).collect();
    fixture.fill(&messages).await;
    let (_, bucket) = fixture.bucket().await;
    let target = format!("s3://{bucket}/a.ndjson.zst");
    let summary = &fixture
        .json(&["purge", fixture.name(), "--export", &target, "--yes", "--why", "a test"])
        .await[0];
    let objects = ["a", "a.000002"].map(|name| format!("s3://{bucket}/{name}.ndjson.zst"));
    assert_eq!((&summary["exports"], fixture.depth().await), (&json!(objects), (0, 0)));
    let objects = objects.iter().map(String::as_str);
    let target = fixture.another().await;
    let arguments: Vec<_> = ["import"].into_iter().chain(objects).chain([target.name()]).collect();
    target.printed(&arguments).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a.ndjson");
    target
        .printed(&["purge", target.name(), "--export", argument(&file), "--yes", "--why", "a test"])
        .await;
    let bodies = exported(&fs::read_to_string(&file).expect("a file"));
    assert_eq!(bodies, (0..15).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_is_deleted_without_a_place_or_without_a_yes() {
    let fixture = Fixture::standard().await;
    fixture.put("", "{}", &[]).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a.ndjson");
    let (name, file) = (fixture.name(), argument(&file).to_owned());
    for (arguments, expected) in [
        (&["purge", name, "--yes", "--why", "a test"][..], "--export"),
        (&["purge", name, "--export", "-", "--yes", "--why", "a test"], "  -\n"),
        (
            &["purge", name, "--export", &file, "--no-export", "--yes", "--why", "a test"],
            "cannot be used with",
        ),
        (&["purge", name, "--no-export", "--why", "a test"], "`--yes` deletes"),
        (&["purge", name, "--export", &file, "--why", "a test"], "`--yes` deletes"),
    ] {
        let run = fixture.run(arguments).await;
        assert_eq!(run.status.code(), Some(2), "{arguments:?} {run:?}");
        assert!(stderr(&run).contains(expected), "{arguments:?} {run:?}");
    }
    assert_eq!(fixture.depth().await, (1, 0));
    assert!(fs::metadata(&file).is_err());
}

/// Runs a purge on a terminal, where this is typed.
fn typed(fixture: &Fixture, file: &str, answer: &str) -> Output {
    let tool = binary("dead-letters").display().to_string();
    let line = format!("{tool} purge {} --export {file} --why INC-9", fixture.name());
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env_clear();
    script.envs(fixture.aws.environment().iter()).env("PATH", "/usr/bin:/bin");
    let journal = TempDir::new().expect("a folder");
    script.env("XDG_STATE_HOME", journal.path());
    let pipe = std::process::Stdio::piped;
    let mut child = script.stdin(pipe()).stdout(pipe()).spawn().expect("a terminal");
    let mut stdin = child.stdin.take().expect("its input");
    std::io::Write::write_all(&mut stdin, format!("{answer}\n").as_bytes()).expect("typed");
    let end = child.wait_with_output();
    drop(stdin);
    end.expect("an end")
}

#[tokio::test]
async fn on_a_terminal_the_name_of_the_queue_is_asked_for() {
    let fixture = Fixture::standard().await;
    fixture.put("", "{}", &[]).await;
    let folder = TempDir::new().expect("a folder");
    let file = argument(&folder.path().join("a.ndjson")).to_owned();
    let refused = typed(&fixture, &file, "yes");
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(fixture.depth().await, (1, 0));
    let confirmed = typed(&fixture, &file, fixture.name());
    assert_eq!(confirmed.status.code(), Some(0), "{confirmed:?}");
    assert_eq!(fixture.depth().await, (0, 0));
}

#[tokio::test]
async fn what_sqs_does_not_delete_stays_and_is_said() {
    let fixture = Fixture::fifo().await;
    let messages: Vec<_> = (0..15).map(|number| ("long", number.to_string())).collect();
    fixture.fill(&messages).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a.ndjson");
    let gateway = Gateway::of("DeleteMessageBatch", &fixture.aws.endpoint, Later::Refused).await;
    let arguments = [
        "purge",
        fixture.name(),
        "--export",
        argument(&file),
        "--yes",
        "--json",
        "--why",
        "a test",
    ];
    let run = fixture.command(&gateway.url, &arguments).output().await.expect("a run");
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    let summary: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!((&summary["deleted"], &summary["undeleted"]), (&json!(10), &json!(5)));
    assert_eq!(fixture.depth().await, (5, 0), "visible again");
    let text = fs::read_to_string(&file).expect("a file");
    assert_eq!(exported(&text).len(), 15);
    assert!(text.ends_with("\"complete\":false}\n"), "{text}");
}

#[tokio::test]
async fn what_was_deleted_is_in_the_file_when_the_process_is_killed() {
    let fixture = Fixture::fifo().await;
    let messages: Vec<_> = (0..25).map(|number| ("long", number.to_string())).collect();
    fixture.fill(&messages).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a.ndjson.zst");
    let slow = Later::Delayed(Duration::from_secs(5));
    let gateway = Gateway::of("DeleteMessageBatch", &fixture.aws.endpoint, slow).await;
    let arguments =
        ["purge", fixture.name(), "--export", argument(&file), "--yes", "--why", "a test"];
    let mut tool = fixture.command(&gateway.url, &arguments).spawn().expect("a process");
    // The second deletion has happened, and its answer has not come.
    let left = async || {
        let (visible, in_flight) = fixture.depth().await;
        visible + in_flight
    };
    while left().await != 5 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    signal(&tool, Signal::SIGKILL);
    tool.wait().await.expect("an end");
    let partial = folder.path().join("a.ndjson.zst.partial");
    let target = Fixture::fifo().await;
    let arguments = ["import", argument(&partial), target.name()];
    assert_eq!(target.run(&arguments).await.status.code(), Some(1), "it is not whole");
    target.printed(&[&arguments[..], &["--allow-partial"]].concat()).await;
    assert_eq!(target.depth().await, (20, 0));
    // It is not written over.
    let again = fixture
        .run(&["purge", fixture.name(), "--export", argument(&file), "--yes", "--why", "a test"])
        .await;
    assert!(stderr(&again).contains("a.ndjson.zst.partial is there already"), "{again:?}");
    assert_eq!(left().await, 5);
}

#[tokio::test]
async fn ctrl_c_ends_with_a_whole_file_of_what_was_deleted() {
    let fixture = Fixture::fifo().await;
    let messages: Vec<_> = (0..25).map(|number| ("long", number.to_string())).collect();
    fixture.fill(&messages).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a.ndjson");
    let slow = Later::Delayed(Duration::from_millis(500));
    let gateway = Gateway::of("DeleteMessageBatch", &fixture.aws.endpoint, slow).await;
    let arguments =
        ["purge", fixture.name(), "--export", argument(&file), "--yes", "--why", "a test"];
    let tool = fixture.command(&gateway.url, &arguments).spawn().expect("a process");
    let deletions = || {
        let exchanges = gateway.exchanges();
        exchanges.iter().filter(|exchange| exchange.action == "DeleteMessageBatch").count()
    };
    while deletions() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    signal(&tool, Signal::SIGINT);
    let end = tool.wait_with_output().await.expect("an end");
    assert_eq!(end.status.code(), Some(1), "{end:?}");
    assert!(stderr(&end).starts_with("error: interrupted: "), "{end:?}");
    assert_eq!(fixture.depth().await, (5, 0));
    let text = fs::read_to_string(&file).expect("a file");
    assert_eq!(exported(&text), (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
    assert!(text.ends_with("\"complete\":false}\n"), "{text}");
}
