//! DynamoDB fails a reader: it says so, and then it answers right.

use serde_json::{Value, json};

use super::operations::defer;
use super::queues::FAILURES;
use super::systems::{committed, consumer, publish, to_aws};
use super::{any, every_step, final_state};
use crate::relay::facts_queue;
use crate::support::system::{Api, TestSystem, eventually};

#[test]
fn a_reader_whose_tables_fail_says_so_and_then_answers_right() {
    every_step(&FAILURES, any, async |plan| {
        let system = with_history().await;
        let mut writer = system.writer().await;
        let create = json!({"title": "Milk"});
        let accepted = defer(&system, &writer, "/v1/tasks", "first", &create).await;
        let (_aws, endpoint) = to_aws(&system, &plan).await;
        let settings = [("AWS_ENDPOINT_URL", endpoint.as_str())];
        let mut reader =
            system.api_with("task-reader", &system.database.reader_url, &settings).await;

        let operation = accepted["path"].as_str().expect("a path");
        let operation = answer(&system, &reader, operation).await;
        assert_eq!(operation["task"], accepted["task"]);
        for task in final_state::tasks(&system).await {
            let page = answer(&system, &reader, &format!("/v1/tasks/{}/history", task.id)).await;
            let entries = page["history"].as_array().expect("a history");
            let versions: Vec<_> = entries.iter().map(|entry| entry["version"].as_i64()).collect();
            assert_eq!(versions, (1..=task.version).rev().map(Some).collect::<Vec<_>>());
        }
        plan.has_happened().await;
        for function in [&mut writer.function, &mut reader.function] {
            function.kill().await.expect("killed");
        }
    });
}

async fn with_history() -> TestSystem {
    let system = committed().await;
    system.create_tables().await;
    let facts = facts_queue(&system).await;
    publish(&system, &[&facts.url]).await;
    let mut projector = consumer(&system, "history-projector", &facts.url, &[]);
    final_state::is_empty(&system, &facts, 0).await;
    projector.kill().await.expect("killed");
    system
}

/// Retries until the reader says more than that its tables are unavailable.
async fn answer(system: &TestSystem, reader: &Api, path: &str) -> Value {
    eventually("the reader answers", async || {
        let (status, body) = final_state::get(system, reader, path).await;
        assert!([200, 503].contains(&status), "{status} {body}");
        assert!(status == 200 || body["type"].is_string(), "{body}");
        (status == 200).then_some(body)
    })
    .await
}
