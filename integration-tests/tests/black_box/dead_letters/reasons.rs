//! A message that can never succeed is found in the dead-letter queue, with its reason.

use std::collections::HashMap;
use std::fs;

use local_stack::repository;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::system::{TestSystem, event, eventually};

/// What the dead-letter queue holds for each body: reason and report.
pub(crate) async fn dead_letters(
    system: &TestSystem,
    count: usize,
) -> HashMap<String, (String, Value)> {
    let mut found = HashMap::new();
    eventually("every bad message is a dead letter", async || {
        for message in system.take_dead_letters().await {
            let attributes = message.message_attributes().expect("attributes");
            let text =
                |name: &str| attributes[name].string_value().expect("a text attribute").to_owned();
            let report = serde_json::from_str(&text("DeadLetter")).expect("JSON");
            let body = message.body().expect("a body").to_owned();
            found.insert(body, (text("DeadLetterReason"), report));
        }
        (found.len() >= count).then_some(())
    })
    .await;
    found
}

#[tokio::test]
async fn every_invalid_example_is_dead_lettered_with_its_reason_and_its_body() {
    let system = TestSystem::new().await;
    let folder = repository().join("events/examples");
    let reasons = fs::read_to_string(folder.join("reasons.json")).expect("the reasons");
    let reasons: HashMap<String, Value> = serde_json::from_str(&reasons).expect("JSON");
    let mut expected = HashMap::new();
    let mut messages = Vec::new();
    for (file, reason) in &reasons {
        let body = fs::read_to_string(folder.join("invalid").join(file)).expect("an example");
        messages.push((Uuid::now_v7().to_string(), body.clone()));
        expected.insert(body, reason["reason"].as_str().expect("a reason"));
    }
    // A good neighbour, which no bad message may take down.
    let good = Uuid::now_v7().to_string();
    let body = event("good", "create-task", &good, &json!({"title": "Good"}));
    messages.push((good.clone(), body));

    let _worker = system.worker().await;
    system.send(&messages).await;
    let found = dead_letters(&system, expected.len()).await;
    for (body, (reason, report)) in &found {
        assert_eq!(Some(reason.as_str()), expected.get(body).copied(), "{body}");
        assert_eq!(report["reason"], *reason);
        assert_eq!(report["handler"], "command-worker");
        assert_eq!(report["attempts"], 1, "it was rejected at once");
    }
    assert_eq!(found.len(), expected.len());
    system.processed(1).await;
    assert_eq!(system.count("SELECT count(*) FROM tasks").await, 1);
}

#[tokio::test]
async fn a_body_survives_byte_for_byte() {
    let system = TestSystem::new().await;
    let bodies: Vec<String> = [
        "  {\"not\" :\t\"ours\"}\r\n\n".to_owned(),
        "\u{feff}{} ünïcödé \u{1f980} \u{2028}".to_owned(),
        format!("{{\"padding\": \"{}\"}}", "x".repeat(events::MAX_BYTES)),
    ]
    .into();
    let messages: Vec<_> =
        bodies.iter().map(|body| (Uuid::now_v7().to_string(), body.clone())).collect();
    let _worker = system.worker().await;
    for message in messages {
        system.send(&[message]).await;
    }
    let found = dead_letters(&system, bodies.len()).await;
    let reasons: Vec<_> = bodies.iter().map(|body| found[body].0.as_str()).collect();
    assert_eq!(reasons, ["schema_violation", "malformed_json", "body_too_large"]);
}

#[tokio::test]
async fn an_id_used_for_two_different_commands_is_refused() {
    let system = TestSystem::new().await;
    let subject = Uuid::now_v7().to_string();
    let first = event("same", "create-task", &subject, &json!({"title": "First"}));
    let second = event("same", "complete-task", &subject, &json!({}));
    let _worker = system.worker().await;
    system.send(&[(subject.clone(), first), (subject, second.clone())]).await;
    let found = dead_letters(&system, 1).await;
    assert_eq!(found[&second].0, "id_reused");
    assert_eq!(system.count("SELECT count(*) FROM tasks WHERE status = 'open'").await, 1);
}

#[tokio::test]
async fn a_producer_may_send_only_what_its_queue_is_for() {
    let system = TestSystem::new().await;
    let lists = [("ALLOWED_TENANTS", "acme"), ("ALLOWED_SOURCES", "/shop,/black-*")];
    let _worker = system.start_worker("command-worker", &lists);
    let task = Uuid::now_v7().to_string();
    let allowed = event("1", "create-task", &task, &json!({"title": "Allowed"}));
    let other_tenant = allowed.replace("\"acme\"", "\"other\"");
    let other_source = allowed.replace("/black-box", "/billing");
    for body in [&other_tenant, &other_source, &allowed] {
        system.send(&[(task.clone(), body.clone())]).await;
    }
    let found = dead_letters(&system, 2).await;
    for body in [&other_tenant, &other_source] {
        assert_eq!(found[body].0, "producer_not_allowed");
    }
    system.processed(1).await;
}
