//! Tasks and what is done with them.

use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::Fixture;
use super::running_function::Entry;

pub(super) async fn a_task_lives(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let milk = json!({"title": "Buy milk", "tags": ["b", "a"]});
    let created = fixture.request("POST", "/v1/tasks").json(&milk).send().await.with_status(201);
    assert_eq!(created.json["tags"], json!(["a", "b"]));
    let path = created.header("location");
    let read = fixture.get(path).await.with_status(200);
    assert_eq!((&read.json, read.header("etag")), (&created.json, "\"1\""));
    assert_eq!(read.header("cache-control"), "private, no-cache");

    let oat = json!({"title": "Buy oat milk"});
    let change = fixture.request("PATCH", path);
    let change = change.text("application/merge-patch+json", &oat.to_string());
    let patched = change.send().await.with_status(200);
    assert_eq!((&patched.json["title"], patched.header("etag")), (&oat["title"], "\"2\""));

    let complete = format!("{path}/complete");
    let completed = fixture.request("POST", &complete).send().await.with_status(200);
    assert_eq!(completed.json["status"], "completed");
    fixture.request("POST", &complete).send().await.problem(409, "task-already-completed");

    assert_eq!(fixture.request("DELETE", path).send().await.with_status(204).body, b"");
    fixture.get(path).await.problem(404, "not-found");
    fixture.request("DELETE", path).send().await.problem(404, "not-found");
}

pub(super) async fn a_task_is_assigned_cancelled_and_reopened(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let path = fixture.create("Buy milk").await;
    let act = async |action: &str, body: Value| {
        let path = format!("{path}/{action}");
        fixture.request("POST", &path).json(&body).send().await
    };
    let assigned = act("assign", json!({"assignee": "ada@example.com"})).await.with_status(200);
    assert_eq!(assigned.json["assignee"], "ada@example.com");
    act("assign", json!({"assignee": "Ada Lovelace"})).await.problem(422, "invalid-body");
    assert_eq!(act("cancel", json!({})).await.with_status(200).json["status"], "cancelled");
    act("complete", json!({})).await.problem(409, "task-already-cancelled");
    assert_eq!(act("reopen", json!({})).await.with_status(200).json["status"], "open");
    act("reopen", json!({})).await.problem(409, "task-already-open");
}

pub(super) async fn an_accepted_write_is_answered_by_its_operation(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let create = fixture.request("POST", "/v1/tasks").json(&json!({"title": "Buy milk"}));
    let accepted = create.header("prefer", "respond-async").send().await.with_status(202);
    assert_eq!(accepted.header("preference-applied"), "respond-async");
    assert_eq!(accepted.header("retry-after"), "1");
    let operation = fixture.get(accepted.header("operation-location")).await.with_status(200);
    assert_eq!(operation.json["status"], "accepted");
    assert_eq!(operation.json["task"], accepted.json["task"]);
    let unknown = format!("/v1/operations/{}", Uuid::new_v4().simple());
    fixture.get(&unknown).await.problem(404, "not-found");
}
