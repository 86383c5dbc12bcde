//! What is below a task: its history and its attachments.

use serde_json::json;
use uuid::Uuid;

use super::fixture::Fixture;
use super::running_function::Entry;
use crate::history::projector;
use crate::relay::{facts_queue, relay};
use crate::support::system::eventually;

pub(super) async fn a_history_is_read_in_pages(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let facts = facts_queue(&fixture.system).await;
    let _relay = relay(&fixture.system, "relay", &[&facts.url]).await;
    let _projector = projector(&fixture.system, &facts.url).await;
    let task = fixture.create("Buy milk").await;
    fixture.request("POST", &format!("{task}/complete")).send().await.with_status(200);

    let path = format!("{task}/history?limit=1");
    let newest = eventually("the history is written", async || {
        let page = fixture.get(&path).await;
        (page.json["history"][0]["version"] == 2).then_some(page)
    })
    .await;
    assert_eq!(newest.json["history"][0]["task"]["status"], "completed");
    assert_eq!(newest.json["history"][0]["actor"], "local-user");
    let next = newest.json["next"].as_str().expect("a next page");
    assert_eq!(newest.header("link"), format!("<{next}>; rel=\"next\""));
    let first = fixture.get(next).await.with_status(200);
    assert_eq!(first.json["history"][0]["type"], "dev.task-app.task.created.v1");
}

/// The files themselves go past the functions: `attachments` has those tests.
pub(super) async fn attachments_are_announced_and_deleted(entry: Entry) {
    let fixture = Fixture::with(entry, &[("ATTACHMENT_BUCKET", "a-bucket")]).await;
    let list = format!("{}/attachments", fixture.create("Buy milk").await);
    let file = json!({
        "name": "list.txt", "content_type": "text/plain", "size": 3,
        "sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
    });
    let announce =
        || fixture.request("POST", &list).json(&file).header("idempotency-key", "file-1");
    let announced = announce().send().await.with_status(201);
    assert_eq!(announced.header("cache-control"), "no-store");
    assert!(announced.json["upload"]["url"].is_string(), "{announced:?}");
    let path = announced.header("location");
    let again = announce().send().await.with_status(201);
    assert_eq!((again.header("location"), again.header("idempotency-replayed")), (path, "true"));
    let answer = fixture.get(path).await.with_status(200);
    assert_eq!((&answer.json["status"], &answer.json["name"]), (&json!("pending"), &file["name"]));
    let all = fixture.get(&list).await.with_status(200);
    assert_eq!(all.json["attachments"], json!([answer.json]));
    let second = fixture.request("POST", &list).json(&file).send().await.with_status(201);
    let all = fixture.get(&list).await.with_status(200);
    let ids = [&all.json["attachments"][0]["id"], &all.json["attachments"][1]["id"]];
    assert_eq!(ids, [&announced.json["id"], &second.json["id"]], "as they were announced");

    let large = json!({"name": "x", "content_type": "text/plain", "size": u32::MAX, "sha256": file["sha256"]});
    fixture.request("POST", &list).json(&large).send().await.problem(422, "invalid-body");
    let nowhere = format!("/v1/tasks/{}/attachments", Uuid::now_v7());
    fixture.request("POST", &nowhere).json(&file).send().await.problem(404, "not-found");
    let delete = || fixture.request("DELETE", path).header("idempotency-key", "gone-1");
    assert!(delete().send().await.with_status(204).headers["idempotency-replayed"].is_null());
    assert_eq!(delete().send().await.with_status(204).header("idempotency-replayed"), "true");
    fixture.request("DELETE", path).send().await.problem(404, "not-found");
    fixture.get(path).await.problem(404, "not-found");
}
