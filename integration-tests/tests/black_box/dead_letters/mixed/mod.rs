//! Many dead letters of every kind in one queue: each command finds what it is to find, and touches nothing
//! else, in bounded memory.

mod messages;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use messages::{GROUP, KINDS, Kind, exported, fill, group, number};
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fixture::Fixture;

/// Of the tool, whatever the number of messages. Ten thousand bodies are more.
const MOST_MEMORY_MIB: i64 = 128;

#[tokio::test]
async fn hundreds_of_mixed_dead_letters_in_a_fifo_queue() {
    mixed(Fixture::fifo().await, 240).await;
}

#[tokio::test]
async fn hundreds_of_mixed_dead_letters_in_a_standard_queue() {
    mixed(Fixture::standard().await, 240).await;
}

#[tokio::test]
#[ignore = "it takes minutes: make test-long"]
async fn ten_thousand_mixed_dead_letters_in_a_fifo_queue() {
    mixed(Fixture::fifo().await, 10_000).await;
}

#[tokio::test]
#[ignore = "it takes minutes: make test-long"]
async fn ten_thousand_mixed_dead_letters_in_a_standard_queue() {
    mixed(Fixture::standard().await, 10_000).await;
}

async fn mixed(queues: Fixture, count: usize) {
    let bystander = queues.another().await;
    bystander.fill(&[("g", "1".to_owned()), ("g", "2".to_owned())]).await;
    fill(&queues, count).await;
    assert_eq!(queues.depth().await, (count, 0), "all are dead letters");

    grouped(&queues, count).await;
    listed(&queues, count).await;
    assert_eq!(queues.depth().await, (count, 0), "what is read stays");

    let files = TempDir::new().expect("a folder");
    moved(&queues, count, files.path()).await;
    let memory = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the memory").max_rss();
    // macOS counts bytes, Linux KiB.
    let memory = memory / if cfg!(target_os = "macos") { 1 << 20 } else { 1 << 10 };
    assert!(memory <= MOST_MEMORY_MIB, "{memory} MiB");

    replayed(&queues, count).await;
    let left = read(&files.path().join("left.ndjson"));
    let expected = (0..count).filter(|number| Kind::of(*number) != Kind::Unavailable);
    assert_eq!(left, expected.collect::<Vec<_>>(), "the others are as they were sent, once each");
    assert_eq!(bystander.depth().await, (2, 0));
}

fn of(kind: Kind, count: usize) -> usize {
    (0..count).filter(|number| Kind::of(*number) == kind).count()
}

/// Each message is in its group.
async fn grouped(queues: &Fixture, count: usize) {
    let report = queues.json(&["groups", queues.name()]).await.remove(0);
    for (member, expected) in [
        ("read", json!(count)),
        ("in_queue", json!(count)),
        ("matched", json!(count)),
        ("complete", json!(true)),
        ("ungrouped", json!(0)),
    ] {
        assert_eq!(report[member], expected, "{member}");
    }
    let mut counts: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for group in report["groups"].as_array().expect("groups") {
        let text = |member: &str| group[member].as_str().unwrap_or("-").to_owned();
        let key = (text("reason"), text("moved_by"), text("type"));
        *counts.entry(key).or_default() += group["count"].as_u64().expect("a number");
    }
    let create = "dev.task-app.create-task.v1";
    let expected = [
        ("schema_violation", "handler", create, of(Kind::Invalid, count)),
        ("database_unavailable", "handler", create, of(Kind::Unavailable, count)),
        ("claim_check_missing", "handler", create, of(Kind::Claimed, count)),
        ("-", "sqs", "-", of(Kind::MovedBySqs, count)),
        ("-", "-", "-", of(Kind::Foreign, count) + of(Kind::Text, count)),
    ];
    let expected = expected.map(|(reason, moved_by, kind, count)| {
        ((reason.to_owned(), moved_by.to_owned(), kind.to_owned()), count as u64)
    });
    assert_eq!(counts, BTreeMap::from(expected));
}

/// Each filter finds its messages.
async fn listed(queues: &Fixture, count: usize) {
    let is_fifo = queues.queue.url.strip_suffix(".fifo").is_some();
    let (sqs, foreign, text) =
        (of(Kind::MovedBySqs, count), of(Kind::Foreign, count), of(Kind::Text, count));
    let events = count - sqs - foreign - text;
    for (filters, expected) in [
        (&["--reason", "schema_violation"][..], of(Kind::Invalid, count)),
        (&["--reason", "-"], sqs + foreign + text),
        (&["--type", "*create-task*"], events),
        (&["--body", "^not JSON #"], text),
        (&["--body-path", "$[?@ == 17]"], 1),
        (&["--body-path", "$.order"], sqs + foreign),
        (&["--attribute", "ClaimCheck"], of(Kind::Claimed, count)),
        (&["--attribute", "sender=ü"], of(Kind::Unavailable, count)),
        (&["--not", "reason=-", "--not", "reason=claim*"], events - of(Kind::Claimed, count)),
        (&["--group", "g7"], if is_fifo { GROUP } else { 0 }),
        (&["--older-than", "1h"], 0),
        (&["--reason", "-", "--limit", "11"], 11),
        (&["--sample", "13"], 13),
    ] {
        let listed = queues.json(&[&["ls", queues.name()], filters].concat()).await;
        assert_eq!(listed.len(), expected, "{filters:?}");
    }
}

/// A part is replayed, the rest is exported, a part of that is purged and imported, and all of it is purged.
async fn moved(queues: &Fixture, count: usize, folder: &Path) {
    let path = |name: &str| folder.join(name).to_str().expect("a path").to_owned();
    let one = async |arguments: &[&str]| queues.json(arguments).await.remove(0);
    let name = queues.name();
    let (replayed, texts) = (of(Kind::Unavailable, count), of(Kind::Text, count));
    let rest = count - replayed;

    let why = ["replay", name, "--why", "a test", "--reason", "database_unavailable"];
    let run = one(&why).await;
    assert_eq!(
        (&run["state"], &run["counts"]["sent"]),
        (&json!("done"), &json!(replayed)),
        "{run}"
    );
    assert_eq!(queues.depth().await, (rest, 0));

    let export = one(&["export", name, &path("all.ndjson.zst")]).await;
    assert_eq!((&export["messages"], &export["complete"]), (&json!(rest), &json!(true)));
    let purged = path("purged.ndjson.zst");
    let purge = ["purge", name, "--export", &purged, "--body", "^not JSON", "--yes", "--why", "x"];
    let purge = one(&purge).await;
    assert_eq!((&purge["deleted"], &purge["undeleted"]), (&json!(texts), &json!(0)), "{purge}");
    assert_eq!(queues.depth().await, (rest - texts, 0));
    let import: Value = one(&["import", &purged, name]).await;
    assert_eq!(import["sent"], json!(texts), "{import}");
    assert_eq!(queues.depth().await, (rest, 0));
    // What was imported stands between others, so that one read of a FIFO queue does not bring all of it.
    let left = path("left.ndjson");
    let left = one(&["purge", name, "--export", &left, "--yes", "--why", "the end"]).await;
    assert_eq!((&left["deleted"], &left["complete"]), (&json!(rest), &json!(true)), "{left}");
    assert_eq!(queues.depth().await, (0, 0));
}

/// What was replayed is in its queue, once and as it was sent, each group in its order.
async fn replayed(queues: &Fixture, count: usize) {
    let mut by_group: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    loop {
        let url = &queues.queue.url;
        let request = queues.sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let answer = request.message_attribute_names("All").send().await.expect("an answer");
        let page = answer.messages.unwrap_or_default();
        if page.is_empty() {
            break;
        }
        for message in page {
            let body = message.body.expect("a body");
            let number = number(&body);
            assert_eq!(body, Kind::Unavailable.body(number));
            let attributes = message.message_attributes.expect("attributes");
            assert_eq!(attributes.keys().collect::<Vec<_>>(), ["sender"]);
            by_group.entry(group(number)).or_default().push(number);
            let receipt = message.receipt_handle.expect("a handle");
            let delete = queues.sqs.delete_message().queue_url(url).receipt_handle(receipt);
            delete.send().await.expect("deleted");
        }
    }
    let is_fifo = queues.queue.url.strip_suffix(".fifo").is_some();
    assert!(!is_fifo || by_group.values().all(|numbers| numbers.is_sorted()));
    let mut numbers: Vec<_> = by_group.into_values().flatten().collect();
    numbers.sort_unstable();
    let expected = (0..count).filter(|number| Kind::of(*number) == Kind::Unavailable);
    assert_eq!(numbers, expected.collect::<Vec<_>>());
    assert_eq!(KINDS.iter().map(|kind| of(*kind, count)).sum::<usize>(), count);
}

/// The numbers of the messages in an export.
fn read(file: &Path) -> Vec<usize> {
    let lines = BufReader::new(File::open(file).expect("the export")).lines();
    let numbers = lines.filter_map(|line| exported(&line.expect("a line")));
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    numbers
}
