//! docs/subscribers.md: a subscriber of one's own, beside others.

use std::fs;

use local_stack::{Function, repository};
use serde_json::json;
use uuid::Uuid;

use crate::relay::{facts_queue, relay};
use crate::support::system::{PATIENCE, TestSystem, binary, event};

#[tokio::test]
async fn the_guides_subscriber_gets_every_fact() {
    let read = |path: &str| fs::read_to_string(repository().join(path)).expect("a file");
    let example = read("integration-tests/examples/subscriber.rs");
    let (_, code) = example.split_once("\n\n").expect("a comment and the code");
    assert!(read("docs/subscribers.md").contains(code), "the guide shows the example");

    let system = TestSystem::new().await;
    let (ours, theirs) = (facts_queue(&system).await, facts_queue(&system).await);
    let environment =
        system.environment(&system.database.reader_url).with("QUEUE_URL", &theirs.url);
    let program = binary("examples/subscriber");
    let mut subscriber =
        Function::start(&program, "subscriber", &environment, &system.state).expect("a process");
    subscriber.ready(PATIENCE).await.expect("a subscriber that is ready");
    let _worker = system.worker().await;
    let _relay = relay(&system, "relay", &[&ours.url, &theirs.url]).await;

    let task = Uuid::now_v7().to_string();
    let create = event("1", "create-task", &task, &json!({"title": "A"}));
    let complete = event("2", "complete-task", &task, &json!({}));
    system.send(&[(task.clone(), create), (task.clone(), complete)]).await;
    let is_noticed = |line: &serde_json::Value| {
        line["message"] == "a task was completed" && line["task.id"] == task.as_str()
    };
    system.logged("subscriber", is_noticed).await;
}
