//! `dead-letters export` to a file and to the standard output.

use std::fs;
use std::path::Path;
use std::time::Duration;

use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::MessageAttributeValue;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fixture::{Fixture, signal, stderr};
use super::gateway::{Gateway, Later};
use super::schemas::check;

/// The lines of an export.
pub(crate) fn lines(text: &str) -> Vec<Value> {
    let line = |line| {
        let line = serde_json::from_str(line).expect("JSON");
        check("export-line", &line);
        line
    };
    text.lines().map(line).collect()
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("a folder");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    entries.map(|entry| name(entry).into_string().expect("a name")).collect()
}

/// The path of a file as an argument.
pub(crate) fn argument(path: &Path) -> &str {
    path.to_str().expect("a text")
}

#[tokio::test]
async fn all_of_a_message_is_exported_and_it_stays() {
    let fixture = Fixture::fifo().await;
    let details = json!({"reason": "busy", "queue": "arn:aws:sqs:r:1:orders.fifo"}).to_string();
    let body = " {\"not\" :\t\"ours\"}\r\n\u{feff}ünïcödé \u{1f980}";
    fixture.put("g", body, &[("DeadLetterReason", "busy"), ("DeadLetter", &details)]).await;
    let bytes = MessageAttributeValue::builder().data_type("Binary.x");
    let bytes = bytes.binary_value(Blob::new([0, 255])).build().expect("an attribute");
    let send = fixture.sqs.send_message().queue_url(&fixture.queue.dead_letter_url);
    let send = send.message_body("second").message_group_id("h").message_deduplication_id("d");
    send.message_attributes("bytes", bytes).send().await.expect("sent");

    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a.ndjson");
    let name = fixture.name();
    let summary = &fixture.json(&["export", name, argument(&file)]).await[0];
    assert_eq!(fixture.depth().await, (2, 0));
    assert_eq!(names(&folder), ["a.ndjson"]);
    let lines = lines(&fs::read_to_string(&file).expect("a file"));
    let arn = format!("arn:aws:sqs:{}:000000000000:{name}", fixture.aws.region);
    assert_eq!((&lines[0]["kind"], &lines[0]["queue"]), (&json!("header"), &json!(arn)));
    let mut first = lines[1].clone();
    for member in
        ["message_id", "sent_at", "first_received_at", "sequence_number", "deduplication_id"]
    {
        assert!(first[member].is_string(), "{member}: {first}");
        first.as_object_mut().expect("an object").remove(member);
    }
    let text = |value: &str| json!({"type": "String", "value": value});
    let expected = json!({
        "kind": "message", "receives": 1, "sender_id": first["sender_id"], "group": "g",
        "aws_trace_header": null, "moved_by": "handler",
        "source_queue": "arn:aws:sqs:r:1:orders.fifo", "reason": "busy",
        "attributes": {"DeadLetterReason": text("busy"), "DeadLetter": text(&details)},
        "body": body,
    });
    assert_eq!(first, expected);
    assert_eq!(lines[2]["attributes"]["bytes"], json!({"type": "Binary.x", "value": "AP8="}));
    assert_eq!((&lines[2]["group"], &lines[2]["deduplication_id"]), (&json!("h"), &json!("d")));
    let digest = &lines[3]["sha256"];
    assert_eq!(
        lines[3],
        json!({"kind": "trailer", "messages": 2, "sha256": digest, "complete": true})
    );
    let expected = json!({
        "queue": name, "target": file, "messages": 2, "sha256": digest, "read": 2, "in_queue": 2,
        "complete": true,
    });
    assert_eq!(*summary, expected);
}

#[tokio::test]
async fn what_fits_is_exported_to_the_standard_output() {
    let fixture = Fixture::standard().await;
    for number in 0..15 {
        fixture.put("", &format!("{{\"id\": \"{number}\"}}"), &[]).await;
    }
    let filters = ["--body", "[5-9]", "--not", "body=13"];
    let arguments = [&["export", fixture.name(), "-"][..], &filters].concat();
    let lines = lines(&fixture.printed(&arguments).await);
    assert_eq!(lines[0]["filter"], json!(["body=[5-9]", "not body=13"]));
    assert_eq!(lines.len(), 1 + 5 + 1, "{lines:?}");
    let sampled = fixture.printed(&["export", fixture.name(), "-", "--sample", "3"]).await;
    assert_eq!(sampled.lines().count(), 5);
    let limited = fixture.printed(&["export", fixture.name(), "-", "--limit", "12"]).await;
    assert!(limited.ends_with("\"complete\":false}\n") && limited.lines().count() == 14);
    assert_eq!(fixture.depth().await, (15, 0));
}

#[tokio::test]
async fn a_file_that_is_there_stays_unless_it_is_to_be_replaced() {
    let fixture = Fixture::standard().await;
    fixture.put("", "{}", &[]).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a.ndjson.zst");
    fs::write(&file, "theirs").expect("a file");
    let arguments = ["export", fixture.name(), argument(&file)];
    let refused = fixture.run(&arguments).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("`--overwrite` replaces it"), "{refused:?}");
    assert_eq!(fs::read(&file).expect("a file"), b"theirs");
    fixture.printed(&[&arguments[..], &["--overwrite"]].concat()).await;
    assert!(fs::read(&file).expect("a file").starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
    let nowhere = folder.path().join("missing/a");
    let missing = fixture.run(&["export", fixture.name(), argument(&nowhere)]).await;
    assert_eq!(missing.status.code(), Some(1));
    assert_eq!(names(&folder), ["a.ndjson.zst"]);
}

#[tokio::test]
async fn a_part_of_a_queue_is_exported_and_is_a_failure_unless_it_is_allowed() {
    let fixture = Fixture::fifo().await;
    let messages: Vec<_> = (0..15).map(|number| ("long", number.to_string())).collect();
    fixture.fill(&messages).await;
    let run = fixture.run(&["export", fixture.name(), "-"]).await;
    assert_eq!(run.status.code(), Some(1));
    assert!(stderr(&run).contains("this is a sample: 10 of about 15"), "{run:?}");
    assert!(String::from_utf8_lossy(&run.stdout).ends_with("\"complete\":false}\n"), "{run:?}");
    let allowed = fixture.run(&["export", fixture.name(), "-", "--allow-sample"]).await;
    assert_eq!(allowed.status.code(), Some(0));
    assert!(stderr(&allowed).contains("this is a sample: 10 of about 15"), "{allowed:?}");
}

#[tokio::test]
async fn after_ctrl_c_or_an_error_no_file_is_left_and_every_message_is_visible() {
    let fixture = Fixture::standard().await;
    let messages: Vec<_> = (0..25).map(|number| ("", number.to_string())).collect();
    fixture.fill(&messages).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a.ndjson");
    let arguments = ["export", fixture.name(), argument(&file)];

    let gateway = Gateway::start(&fixture.aws.endpoint, Later::Refused).await;
    let run = fixture.command(&gateway.url, &arguments).output().await.expect("a run");
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert_eq!((names(&folder), fixture.depth().await), (Vec::new(), (25, 0)));

    let slow = Later::Delayed(Duration::from_millis(1_500));
    let gateway = Gateway::start(&fixture.aws.endpoint, slow).await;
    let tool = fixture.command(&gateway.url, &arguments).spawn().expect("a process");
    while fs::read(folder.path().join("a.ndjson.partial")).is_ok_and(|file| file.len() < 500)
        || names(&folder).is_empty()
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    signal(&tool, Signal::SIGINT);
    let end = tool.wait_with_output().await.expect("an end");
    assert_eq!(end.status.code(), Some(1), "{end:?}");
    assert!(stderr(&end).starts_with("error: interrupted: "), "{end:?}");
    assert_eq!((names(&folder), fixture.depth().await), (Vec::new(), (25, 0)));
}
