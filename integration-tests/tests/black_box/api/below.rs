//! What is below a task: its history and its attachments.

use serde_json::json;
use uuid::Uuid;

use super::place::Entry;
use super::stage::Stage;
use crate::history::projector;
use crate::relay::{facts_queue, relay};
use crate::world::eventually;

pub(super) async fn a_history_is_read_in_pages(entry: Entry) {
    let stage = Stage::new(entry).await;
    let facts = facts_queue(&stage.world).await;
    let _relay = relay(&stage.world, "relay", &[&facts.url]).await;
    let _projector = projector(&stage.world, &facts.url).await;
    let task = stage.create("Buy milk").await;
    stage.request("POST", &format!("{task}/complete")).send().await.of(200);

    let path = format!("{task}/history?limit=1");
    let newest = eventually("the history is written", async || {
        let page = stage.get(&path).await;
        (page.json["history"][0]["version"] == 2).then_some(page)
    })
    .await;
    assert_eq!(newest.json["history"][0]["task"]["status"], "completed");
    let next = newest.json["next"].as_str().expect("a next page");
    assert_eq!(newest.header("link"), format!("<{next}>; rel=\"next\""));
    let first = stage.get(next).await.of(200);
    assert_eq!(first.json["history"][0]["type"], "dev.task-app.task.created.v1");
}

/// The files themselves go past the functions: `attachments` has those tests.
pub(super) async fn attachments_are_announced_and_deleted(entry: Entry) {
    let stage = Stage::with(entry, &[("ATTACHMENT_BUCKET", "a-bucket")]).await;
    let list = format!("{}/attachments", stage.create("Buy milk").await);
    let file = json!({
        "name": "list.txt", "content_type": "text/plain", "size": 3,
        "sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
    });
    let announce = || stage.request("POST", &list).json(&file).header("idempotency-key", "file-1");
    let announced = announce().send().await.of(201);
    assert_eq!(announced.header("cache-control"), "no-store");
    assert!(announced.json["upload"]["url"].is_string(), "{announced:?}");
    let path = announced.header("location");
    let again = announce().send().await.of(201);
    assert_eq!((again.header("location"), again.header("idempotency-replayed")), (path, "true"));
    let answer = stage.get(path).await.of(200);
    assert_eq!((&answer.json["status"], &answer.json["name"]), (&json!("pending"), &file["name"]));
    let all = stage.get(&list).await.of(200);
    assert_eq!(all.json["attachments"], json!([answer.json]));

    let large = json!({"name": "x", "content_type": "text/plain", "size": u32::MAX, "sha256": file["sha256"]});
    stage.request("POST", &list).json(&large).send().await.problem(422, "invalid-body");
    let nowhere = format!("/v1/tasks/{}/attachments", Uuid::now_v7());
    stage.request("POST", &nowhere).json(&file).send().await.problem(404, "not-found");
    let delete = || stage.request("DELETE", path).header("idempotency-key", "gone-1");
    assert!(delete().send().await.of(204).headers["idempotency-replayed"].is_null());
    assert_eq!(delete().send().await.of(204).header("idempotency-replayed"), "true");
    stage.request("DELETE", path).send().await.problem(404, "not-found");
    stage.get(path).await.problem(404, "not-found");
}
