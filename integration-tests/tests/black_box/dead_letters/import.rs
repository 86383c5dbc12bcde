//! `dead-letters import`: what was exported is as it was, in another queue.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::export::{argument, lines};
use super::fixture::{Fixture, signal, stderr};
use super::gateway::{Gateway, Later};

/// Takes the messages of a queue, by group, without what SQS gave them.
async fn take(fixture: &Fixture) -> BTreeMap<String, Vec<(Value, Value)>> {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a");
    fixture
        .printed(&[
            "purge",
            fixture.name(),
            "--export",
            argument(&file),
            "--yes",
            "--why",
            "a test",
        ])
        .await;
    let lines = lines(&fs::read_to_string(&file).expect("a file"));
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for line in lines.iter().filter(|line| line["kind"] == "message") {
        let message = (line["body"].clone(), line["attributes"].clone());
        groups.entry(line["group"].to_string()).or_default().push(message);
    }
    groups
}

async fn filled_fifo() -> Fixture {
    let fixture = Fixture::fifo().await;
    // SQS hands out ten at a time, and then nothing of their groups.
    for number in 0..20 {
        let group = ["a", "b", "c", "d"][number / 5];
        let attributes = [("DeadLetterReason", "busy"), ("number", &number.to_string())];
        fixture.put(group, &format!("body {number}\u{2028}"), &attributes).await;
    }
    fixture
}

#[tokio::test]
async fn each_group_has_its_messages_in_their_order_and_once() {
    let source = filled_fifo().await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a.ndjson.zst");
    source.printed(&["export", source.name(), argument(&file)]).await;
    let target = Fixture::fifo().await;
    let arguments = ["import", argument(&file), target.name()];

    let dry = &target.json(&[&arguments[..], &["--dry-run"]].concat()).await[0];
    assert_eq!(
        (&dry["messages"], &dry["sent"], &dry["dry_run"]),
        (&json!(20), &json!(0), &json!(true))
    );
    assert_eq!(target.depth().await, (0, 0));
    let summary = &target.json(&arguments).await[0];
    assert_eq!((&summary["messages"], &summary["sent"]), (&json!(20), &json!(20)));
    assert_eq!(summary["files"][0]["complete"], true);
    // Again within five minutes.
    target.printed(&arguments).await;
    assert_eq!(target.depth().await, (20, 0));
    let (taken, expected) = tokio::join!(take(&target), take(&source));
    assert_eq!(taken, expected);
}

#[tokio::test]
async fn what_sqs_had_moved_has_its_source() {
    let source = Fixture::standard().await;
    let url = &source.queue.url;
    source.sqs.send_message().queue_url(url).message_body("{}").send().await.expect("sent");
    assert_eq!(source.receive(url, 0).await.len(), 1);
    assert_eq!(source.receive(url, 0).await.len(), 0, "it was moved");
    let (_, bucket) = source.bucket().await;
    let object = format!("s3://{bucket}/a.ndjson.zst");
    source.printed(&["export", source.name(), &object]).await;
    let before = &source.json(&["ls", source.name()]).await[0];

    let target = source.another().await;
    target.printed(&["import", &object, target.name()]).await;
    let id = target.json(&["ls", target.name()]).await[0]["message_id"].clone();
    let imported = &target.json(&["show", target.name(), id.as_str().expect("a text")]).await[0];
    assert_eq!(imported["source_queue"], url.rsplit('/').next().expect("a name"));
    assert_eq!(imported["original_message_id"], before["message_id"]);
    assert_eq!((&imported["attempts"], &imported["attributes"]), (&json!(1), &json!({})));
}

#[tokio::test]
async fn nothing_is_sent_of_what_is_not_whole_or_does_not_fit() {
    let standard = Fixture::standard().await;
    standard.put("", "{}", &[]).await;
    standard.put("", "{}", &[]).await;
    let folder = TempDir::new().expect("a folder");
    let [whole, cut] = ["whole", "cut"].map(|name| folder.path().join(name));
    standard.printed(&["export", standard.name(), argument(&whole)]).await;
    let text = fs::read_to_string(&whole).expect("a file");
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    fs::write(&cut, lines[..2].concat()).expect("a file");

    let target = Fixture::standard().await;
    let source = target.queue.url.rsplit('/').next().expect("a name");
    let fifo = Fixture::fifo().await;
    for (arguments, code, expected) in [
        (vec!["import", argument(&cut), target.name()], 1, "ends without its trailer"),
        (vec!["import", argument(&whole), argument(&cut), target.name()], 1, "without its trailer"),
        (vec!["import", "no-such-file", target.name()], 1, "opening no-such-file"),
        (vec!["import", argument(&whole), source], 1, "is no dead-letter queue"),
        (vec!["import", "-", target.name()], 2, "  -\n"),
        (vec!["import", "s3://x", target.name()], 2, "a bucket and a key"),
    ] {
        let run = target.run(&arguments).await;
        assert_eq!(run.status.code(), Some(code), "{arguments:?} {run:?}");
        assert!(stderr(&run).contains(expected), "{expected}: {run:?}");
    }
    let unfit = fifo.run(&["import", argument(&whole), fifo.name()]).await;
    assert_eq!(unfit.status.code(), Some(1), "{unfit:?}");
    for expected in ["line 2: it has no message group", "error: 2 messages do not fit"] {
        assert!(stderr(&unfit).contains(expected), "{unfit:?}");
    }
    assert_eq!((target.depth().await, fifo.depth().await), ((0, 0), (0, 0)));
    target.printed(&["import", argument(&cut), target.name(), "--allow-partial"]).await;
    assert_eq!(target.depth().await, (1, 0));
}

#[tokio::test]
async fn an_import_that_failed_goes_on_where_it_ended() {
    let source = Fixture::standard().await;
    let messages: Vec<_> = (0..47).map(|number| ("", number.to_string())).collect();
    source.fill(&messages).await;
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a");
    source.printed(&["export", source.name(), argument(&file)]).await;

    let target = Fixture::standard().await;
    let gateway = Gateway::of("SendMessageBatch", &target.aws.endpoint, Later::Refused).await;
    let arguments = ["import", argument(&file), target.name(), "--json"];
    let run = target.command(&gateway.url, &arguments).output().await.expect("a run");
    assert_eq!(run.status.code(), Some(1));
    let summary: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!((&summary["sent"], target.depth().await), (&json!(10), (10, 0)));
    let line = summary["resume"]["line"].to_string();
    assert!(stderr(&run).contains(&format!("`--from-line {line}`")), "{run:?}");
    target.printed(&[&arguments[..3], &["--from-line", &line]].concat()).await;
    let mut counts = HashMap::<_, u64>::new();
    for (body, _) in take(&target).await.into_values().flatten() {
        *counts.entry(body.to_string()).or_default() += 1;
    }
    assert_eq!(counts.len(), 47);
    let twice = summary["resume"]["sent_behind"].as_u64().expect("a number");
    assert_eq!(counts.values().sum::<u64>(), 47 + twice);
}

#[tokio::test]
async fn ctrl_c_leaves_no_gap_and_another_import_goes_on() {
    let source = Fixture::fifo().await;
    // Of each group one is on its way at a time, so others are sent before the second of it.
    for number in 0..60 {
        source.put(&(number % 15).to_string(), &number.to_string(), &[]).await;
    }
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("a");
    let purge = ["purge", source.name(), "--export", argument(&file), "--yes", "--why", "a test"];
    source.printed(&purge).await;

    let target = Fixture::fifo().await;
    let slow = Later::Delayed(Duration::from_millis(500));
    let gateway = Gateway::of("SendMessageBatch", &target.aws.endpoint, slow).await;
    let arguments = ["import", argument(&file), target.name(), "--json"];
    let tool = target.command(&gateway.url, &arguments).spawn().expect("a process");
    while gateway.exchanges().iter().all(|exchange| exchange.action != "SendMessageBatch") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    signal(&tool, Signal::SIGINT);
    let end = tool.wait_with_output().await.expect("an end");
    assert_eq!(end.status.code(), Some(1), "{end:?}");
    assert!(stderr(&end).contains("error: interrupted. To go on, import from"), "{end:?}");
    let summary: Value = serde_json::from_slice(&end.stdout).expect("JSON");
    let sent = summary["sent"].as_u64().expect("a number");
    assert!((1..60).contains(&sent), "{summary}");
    let resume = &summary["resume"];
    assert_eq!((&resume["sent_behind"], &resume["line"]), (&json!(0), &json!(sent + 2)));
    let line = resume["line"].to_string();
    target.printed(&[&arguments[..3], &["--from-line", &line]].concat()).await;
    assert_eq!(target.depth().await, (60, 0));
}
