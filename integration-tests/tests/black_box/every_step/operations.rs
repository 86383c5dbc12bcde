//! A write that is applied later ends, whatever fails while it is accepted or applied.

use serde_json::{Value, json};
use uuid::Uuid;

use super::queues::FAILURES;
use super::systems::{to_aws, worker};
use super::{every_step, final_state, first};
use crate::support::system::{Api, TestSystem, eventually, with_body};

#[test]
fn a_writer_whose_tables_or_queue_fail_accepts_a_write_once_until_it_answers() {
    every_step(&FAILURES, first, async |plan| {
        let system = TestSystem::new().await;
        system.create_tables().await;
        let (_aws, endpoint) = to_aws(&system, &plan).await;
        let settings = [("AWS_ENDPOINT_URL", endpoint.as_str())];
        let writer = system.api_with("task-writer", &system.database.writer_url, &settings).await;
        let create = json!({"title": "Milk"});
        let accepted = defer(&system, &writer, "/v1/tasks", "first", &create).await;
        plan.has_happened().await;
        let mut worker = worker(&system, &[]);
        let reader = system.reader().await;
        let operation = ended(&system, &reader, &accepted).await;
        assert_eq!((&operation["status"], &operation["version"]), (&json!("succeeded"), &json!(1)));
        final_state::is_empty(&system, &system.queue, 0).await;
        let tasks = final_state::tasks(&system).await;
        assert_eq!(tasks.len(), 1);
        assert_eq!(json!(tasks[0].id), accepted["task"], "it is the task that the caller got");
        for mut function in [writer.function, reader.function] {
            function.kill().await.expect("killed");
        }
        worker.kill().await.expect("killed");
    });
}

#[test]
fn a_worker_whose_tables_fail_ends_every_operation() {
    every_step(
        &FAILURES,
        |step| first(step) && step.label == "BatchExecuteStatement",
        async |plan| {
            let system = TestSystem::new().await;
            system.create_tables().await;
            let writer = system.writer().await;
            let create = json!({"title": "Milk"});
            let first = defer(&system, &writer, "/v1/tasks", "first", &create).await;
            let path = format!("/v1/tasks/{}/complete", Uuid::now_v7());
            let second = defer(&system, &writer, &path, "second", &Value::Null).await;
            let (_aws, endpoint) = to_aws(&system, &plan).await;
            let mut worker = worker(&system, &[("AWS_ENDPOINT_URL", &endpoint)]);
            plan.has_happened().await;
            let reader = system.reader().await;
            let operation = ended(&system, &reader, &first).await;
            assert_eq!(
                (&operation["status"], &operation["version"]),
                (&json!("succeeded"), &json!(1))
            );
            let operation = ended(&system, &reader, &second).await;
            assert_eq!(operation["problem"]["type"], "urn:problem:not-found");
            final_state::is_empty(&system, &system.queue, 0).await;
            assert_eq!(system.count("SELECT count(*) FROM inbox").await, 2);
            assert_eq!(system.count("SELECT count(*) FROM tasks").await, 1);
            for mut function in [writer.function, reader.function] {
                function.kill().await.expect("killed");
            }
            worker.kill().await.expect("killed");
        },
    );
}

/// Asks until a write is accepted, as a caller with an `Idempotency-Key` may; the operation.
pub(crate) async fn defer(
    system: &TestSystem,
    writer: &Api,
    path: &str,
    key: &str,
    body: &Value,
) -> Value {
    eventually("the write is accepted", async || {
        let request = system.client.post(format!("{}{path}", writer.url));
        let request = with_body(request, body);
        let request = request.bearer_auth(system.token("acme")).header("Idempotency-Key", key);
        let response = request.header("Prefer", "respond-async").send().await.expect("an answer");
        let status = response.status().as_u16();
        assert!([202, 503].contains(&status), "{status}");
        if status == 503 {
            assert!(response.headers().contains_key("retry-after"));
            return None;
        }
        let location = response.headers()["operation-location"].to_str().expect("text").to_owned();
        let mut operation: Value = response.json().await.expect("an operation");
        operation["path"] = location.into();
        Some(operation)
    })
    .await
}

/// The operation once it has ended.
async fn ended(system: &TestSystem, reader: &Api, accepted: &Value) -> Value {
    let path = accepted["path"].as_str().expect("a path");
    eventually("the operation ends", async || {
        let (status, operation) = final_state::get(system, reader, path).await;
        assert_eq!(status, 200, "{operation}");
        (operation["status"] != "accepted").then_some(operation)
    })
    .await
}
