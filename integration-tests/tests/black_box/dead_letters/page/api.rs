//! The API answers what `--json` prints.

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::future::try_join_all;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::server::Server;
use crate::dead_letters::fixture::Fixture;
use crate::support::system::{PATIENCE, event};

async fn filled(fixture: &Fixture) {
    for (number, reason) in
        ["schema_violation", "schema_violation", "malformed_json"].iter().enumerate()
    {
        let detail = json!({"reason": reason, "detail": format!("column {number}")}).to_string();
        let body = event(&format!("milk-{number}"), "create-task", "task", &json!({"title": " "}));
        let attributes = [("DeadLetterReason", *reason), ("DeadLetter", &detail)];
        fixture.put(&format!("g-{number}"), &body, &attributes).await;
    }
}

/// Without the members that it has besides those of `--json`.
fn without(mut value: Value, members: &[&str]) -> Value {
    for member in members {
        assert!(value.as_object_mut().expect("an object").remove(*member).is_some(), "{member}");
    }
    value
}

#[tokio::test]
async fn queues_and_a_message_are_those_of_the_command_line() {
    let fixture = Fixture::alone("eu-west-2", "orders").await;
    filled(&fixture).await;
    let server = Server::start(&fixture).await;
    let queues = server.read("api/queues").await;
    assert_eq!(without(queues, &["notes"]), fixture.json(&["queues", "--all"]).await[0]);

    let name = fixture.name();
    let message = server.read(&format!("api/queues/{name}/messages/milk-1")).await;
    let indented = message["indented_body"].as_str().expect("it is JSON");
    assert!(indented.contains("\n  \"data\": {\n    \"title\": \" \"\n  }"), "{indented}");
    let shown = fixture.json(&["show", name, "milk-1"]).await;
    assert_eq!(without(message, &["indented_body", "indented_claimed_body"]), shown[0]);
    assert_eq!(server.read("api/server").await["region"], "eu-west-2");
    assert_eq!(fixture.depth().await, (3, 0));
}

#[tokio::test]
async fn groups_and_messages_are_those_of_the_command_line() {
    let fixture = Fixture::fifo().await;
    filled(&fixture).await;
    let server = Server::start(&fixture).await;
    let (name, filters) = (fixture.name(), "--reason 'schema_*' --not group=g-0");
    let words = ["--reason", "schema_*", "--not", "group=g-0"];
    let query = utf8_percent_encode(filters, NON_ALPHANUMERIC);
    let mut found = server.read(&format!("api/queues/{name}?filters={query}")).await;
    let messages = found["messages"].take();
    assert_eq!(messages[0]["event_id"], "milk-1");
    assert_eq!(messages, json!(fixture.json(&[&["ls", name], &words[..]].concat()).await));
    let groups = fixture.json(&[&["groups", name], &words[..]].concat()).await;
    assert_eq!(without(found, &["messages", "notes"]), groups[0]);
    assert_eq!(fixture.depth().await, (3, 0));
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_status() {
    let fixture = Fixture::standard().await;
    filled(&fixture).await;
    let server = Server::start(&fixture).await;
    let name = fixture.name();
    let source = fixture.queue.url.rsplit('/').next().expect("a name");
    for (path, status, says) in [
        (format!("api/queues/{name}?filters=--body-path+$.data["), 400, "\n  $.data[\n"),
        (format!("api/queues/{name}?filters=--raeson+x"), 400, "'--raeson'"),
        (format!("api/queues/{name}?filter=x"), 400, "unknown field"),
        (format!("api/queues/{name}/messages/nothing"), 404, "none of the 3 messages"),
        ("api/queues/no-such-queue".to_owned(), 404, "there is no queue no-such-queue"),
        ("api/queues/http:%2F%2F127.0.0.1:1%2F1%2Fq".to_owned(), 400, "no URL"),
        (format!("api/queues/{source}"), 409, "redrive policy"),
        ("api/nothing".to_owned(), 404, "no such page"),
        ("nothing".to_owned(), 404, "no such page"),
    ] {
        let (found, problem) = server.get(&path).await;
        assert_eq!((found.as_u16(), &problem["status"]), (status, &json!(status)), "{path}");
        let detail = problem["detail"].as_str().expect("a text");
        assert!(detail.contains(says), "{path}: {detail}");
    }
}

#[tokio::test]
async fn a_limit_bounds_the_read_and_no_list_is_too_long() {
    let fixture = Fixture::standard().await;
    let url = &fixture.queue.dead_letter_url;
    let send = |batch: i32| {
        let entries = (0..10).map(|number| {
            let entry = SendMessageBatchRequestEntry::builder().id(number.to_string());
            entry.message_body(format!("{batch}-{number}")).build().expect("an entry")
        });
        let send = fixture.sqs.send_message_batch().queue_url(url);
        send.set_entries(Some(entries.collect())).send()
    };
    try_join_all((0..52).map(send)).await.expect("sent");
    let server = Server::start(&fixture).await;
    let all = server.read(&format!("api/queues/{}", fixture.name())).await;
    assert_eq!((&all["matched"], &all["complete"]), (&json!(520), &json!(true)));
    assert_eq!(all["messages"].as_array().map(Vec::len), Some(500));
    assert_eq!(all["notes"], json!(["500 messages of the 520 that fit are listed"]));
    let two = server.read(&format!("api/queues/{}?filters=--limit+2", fixture.name())).await;
    assert_eq!((&two["matched"], &two["complete"]), (&json!(2), &json!(false)));
    assert_eq!(fixture.depth().await, (520, 0));
}

#[tokio::test]
async fn depths_are_sampled_over_time() {
    let fixture = Fixture::alone("eu-south-2", "orders").await;
    filled(&fixture).await;
    let server = Server::start(&fixture).await;
    let deadline = Instant::now() + PATIENCE;
    let mut changed = false;
    loop {
        let history = server.read("api/depths").await;
        let depths = &history["queues"][0]["depths"];
        let known: Vec<_> = depths.as_array().into_iter().flatten().map(Value::as_u64).collect();
        assert_eq!(known.len(), history["times"].as_array().map_or(0, Vec::len));
        if known.starts_with(&[Some(3)]) && known.ends_with(&[Some(4)]) {
            assert_eq!(history["queues"][0]["queue"], "orders-dlq.fifo");
            break;
        }
        if known == [Some(3)] && !changed {
            fixture.put("another", "{}", &[]).await;
            changed = true;
        }
        assert!(Instant::now() < deadline, "{history}");
        sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(server.request("api/server").send().await.expect("one").status(), StatusCode::OK);
}
