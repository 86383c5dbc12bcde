//! One form of a point in time, wherever it comes out: API, facts, history, operations, dead letters,
//! logs, and what operators' commands print.

use serde_json::{Value, json};

use super::{Whole, get, post};
use crate::dead_letters::Fixture;
use crate::relay::subscriber::Subscriber;
use crate::support::system::eventually;
use crate::support::times::assert_one_form;

fn has_null(document: &Value) -> bool {
    match document {
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        value => value.is_null(),
    }
}

#[tokio::test]
async fn every_time_that_comes_out_has_one_form() {
    let Whole { system, writer, reader, facts, _running } = Whole::start().await;

    let task = post(&system, &writer, &json!({"title": "Now"}), &[]).await;
    let path = format!("/v1/tasks/{}", task["id"].as_str().expect("an id"));
    let headers = [("prefer", "respond-async"), ("idempotency-key", "later")];
    let operation = post(&system, &writer, &json!({"title": "Later"}), &headers).await;
    let at = format!("/v1/operations/{}", operation["id"].as_str().expect("an id"));
    system.send(&[("dead".to_owned(), "not JSON".to_owned())]).await;
    let mut documents = vec![task, operation];
    let ended = eventually("the operation has ended", async || {
        let (_, operation) = get(&system, &reader, &at).await;
        (operation["status"] == "succeeded").then_some(operation)
    });
    documents.push(ended.await);
    for path in [&path, "/v1/tasks"] {
        documents.push(get(&system, &reader, path).await.1);
    }
    let history = eventually("the history has the task", async || {
        let (_, page) = get(&system, &reader, &format!("{path}/history")).await;
        (!page["history"].as_array()?.is_empty()).then_some(page)
    });
    documents.push(history.await);
    let mut subscriber = Subscriber::new(&system, &facts.url);
    subscriber.receives_everything().await;
    documents.extend(subscriber.facts().cloned());
    for document in &documents {
        assert!(!has_null(document), "a member without a value is absent: {document}");
    }

    let fixture = Fixture::of(system.aws.clone(), system.sqs.clone(), system.queue.clone());
    eventually("the dead letter is there", async || (fixture.depth().await.0 == 1).then_some(()))
        .await;
    for command in ["ls", "groups"] {
        documents.extend(fixture.json(&[command, fixture.name()]).await);
    }
    let id = documents.iter().find_map(|document| document["message_id"].as_str());
    let id = id.expect("a message").to_owned();
    documents.extend(fixture.json(&["show", fixture.name(), &id]).await);
    for function in ["task-writer", "task-reader", "command-worker", "relay", "projector"] {
        documents.extend(system.log(function));
    }
    let without: Vec<&Value> =
        documents.iter().filter(|document| assert_one_form(document) == 0).collect();
    assert!(without.is_empty(), "no time in {without:?}");
}
