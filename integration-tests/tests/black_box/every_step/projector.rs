//! DynamoDB or SQS fails the projector: history is the fold of the facts all the same.

use std::collections::BTreeMap;

use serde_json::Value;

use super::queues::{FAILURES, is_certain};
use super::systems::{committed, consumer, publish, to_aws};
use super::{every_step, final_state};
use crate::relay::{facts_queue, subscriber::Subscriber};
use crate::support::system::{Api, TestSystem};

#[test]
fn a_projector_whose_tables_or_queue_fail_leaves_the_fold_of_the_facts() {
    every_step(&FAILURES, is_certain, async |plan| {
        let system = committed().await;
        system.create_tables().await;
        let (facts, others) = (facts_queue(&system).await, facts_queue(&system).await);
        publish(&system, &[&facts.url, &others.url]).await;
        let (_aws, endpoint) = to_aws(&system, &plan).await;
        let settings = [("AWS_ENDPOINT_URL", endpoint.as_str())];
        let mut projector = consumer(&system, "history-projector", &facts.url, &settings);
        plan.has_happened().await;
        final_state::is_empty(&system, &facts, 0).await;

        let mut subscriber = Subscriber::new(&system, &others.url);
        subscriber.receives_everything().await;
        let mut reader = system.reader().await;
        for (task, expected) in fold(&subscriber) {
            assert_eq!(history(&system, &reader, &task).await, expected);
        }
        projector.kill().await.expect("killed");
        reader.function.kill().await.expect("killed");
    });
}

/// What the facts say of each task: the version and the kind and the task of each change, the
/// newest first.
fn fold(subscriber: &Subscriber<'_>) -> BTreeMap<String, Vec<Value>> {
    let mut tasks = BTreeMap::<String, BTreeMap<u64, Value>>::new();
    for fact in subscriber.facts() {
        if let Some(version) = fact["data"]["version"].as_u64() {
            let task = fact["subject"].as_str().expect("a subject").to_owned();
            tasks.entry(task).or_default().insert(version, change(&fact["type"], &fact["data"]));
        }
    }
    let newest_first = |changes: BTreeMap<_, _>| changes.into_values().rev().collect();
    tasks.into_iter().map(|(task, changes)| (task, newest_first(changes))).collect()
}

async fn history(system: &TestSystem, reader: &Api, task: &str) -> Vec<Value> {
    let (_, page) = final_state::get(system, reader, &format!("/v1/tasks/{task}/history")).await;
    let entries = page["history"].as_array().expect("a history");
    entries.iter().map(|entry| change(&entry["type"], &entry["task"])).collect()
}

fn change(kind: &Value, task: &Value) -> Value {
    serde_json::json!({"type": kind, "task": task})
}
