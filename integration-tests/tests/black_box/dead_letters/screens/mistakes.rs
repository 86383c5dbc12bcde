//! What is wrong, and where.

use std::fs;

use tempfile::TempDir;

use super::reads::orders;
use crate::dead_letters::export::argument;
use crate::dead_letters::gateway::{Gateway, Later};

#[tokio::test]
async fn a_mistake_in_a_filter_is_pointed_at() {
    let (fixture, screen) = orders().await;
    let mut runs = Vec::new();
    let filters: [&[&str]; 11] = [
        &["--body", "create-(task"],
        &["--body-path", "$.data["],
        &["--body-path", "$.data[?@.n == ]"],
        &["--older-than", "3x"],
        &["--attempts", "3..x"],
        &["--attribute", "=high"],
        &["--not", "older-than=3x"],
        &["--not", "raeson=busy"],
        &["--not", "reason"],
        &["--limit", "0"],
        &["--raeson", "busy"],
    ];
    let lines = filters.map(|filter| [&["ls", "orders-dlq.fifo"], filter].concat());
    for line in &lines {
        runs.push((&line[..], fixture.run(line).await));
    }
    screen.shows("mistakes-in-filters", &runs);
}

#[tokio::test]
async fn a_mistake_in_an_edit_is_pointed_at() {
    let (fixture, screen) = orders().await;
    fixture.put("1", "{}", &[]).await;
    let folder = TempDir::new().expect("a folder");
    let screen = screen.with(argument(folder.path()), "/tmp");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        argument(&path).to_owned()
    };
    let patch = file("patch.json", r#"[{"op": "ad", "path": "/n", "value": 1}]"#);
    let no_json = file("broken.json", "[{]");
    let schema = file("schema.json", r#"{"type": "objekt"}"#);
    let missing = argument(&folder.path().join("missing.json")).to_owned();
    let mut runs = Vec::new();
    let edits: [&[&str]; 7] = [
        &["--edit-jq", ".data.title = "],
        &["--edit-jq", ".data | nothing(1)"],
        &["--edit-patch", &patch],
        &["--edit-patch", &no_json],
        &["--edit-patch", &missing],
        &["--edit-jq", ".n = 1", "--schema", &schema],
        &["--edit"],
    ];
    let lines = edits.map(|edit| [&["replay", "orders-dlq.fifo", "--why", "INC-7"], edit].concat());
    for line in &lines {
        runs.push((&line[..], fixture.run(line).await));
    }
    screen.shows("mistakes-in-edits", &runs);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let (fixture, screen) = orders().await;
    let folder = TempDir::new().expect("a folder");
    let screen = screen.with(argument(folder.path()), "/tmp");
    let missing = argument(&folder.path().join("missing.ndjson")).to_owned();
    let mut runs = Vec::new();
    let lines: [&[&str]; 10] = [
        &["ls", "no-such-queue"],
        &["ls", "a b"],
        &["ls", "orders.fifo"],
        &["show", "orders-dlq.fifo", "milk-9"],
        &["runs", "01932e7c-4a51-7c0e-9d35-0a8e6f1d2c3b"],
        &["replay", "--resume", "01932e7c-4a51-7c0e-9d35-0a8e6f1d2c3b"],
        &["replay", "orders-dlq.fifo"],
        &["import", &missing, "orders-dlq.fifo"],
        &["cost", "orders-dlq.fifo", "milk-1"],
        &["purge", "orders-dlq.fifo", "--why", "INC-9"],
    ];
    for line in lines {
        runs.push((line, fixture.run(line).await));
    }
    screen.shows("mistakes-in-names", &runs);
}

#[tokio::test]
async fn an_error_of_aws_is_said_in_its_words() {
    let (fixture, screen) = orders().await;
    fixture.put("1", "{}", &[]).await;
    let mut runs = Vec::new();
    let lines: [&[&str]; 2] = [
        &["export", "orders-dlq.fifo", "s3://no-such-bucket/a.ndjson"],
        &["import", "s3://no-such-bucket/a.ndjson", "orders-dlq.fifo"],
    ];
    for line in lines {
        runs.push((line, fixture.run(line).await));
    }
    let line: &[&str] = &["ls", "orders-dlq.fifo"];
    let refused = Gateway::start(&fixture.aws.endpoint, Later::Refused).await;
    let nobody = "http://127.0.0.1:1";
    for endpoint in [refused.url.as_str(), nobody] {
        let output = fixture.command(endpoint, line).output().await.expect("a run");
        runs.push((line, output));
    }
    screen.shows("errors-of-aws", &runs);
}
