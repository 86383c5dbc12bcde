//! Attachments as their owners see them: announced here, sent to S3, verified, fetched from S3.

mod names;
mod removal;
mod stage;
mod verification;
mod versions;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;
pub(crate) use stage::Stage;
use stage::{FILE, announcement, location, object_key};

/// From the announcement to the file as somebody else fetches it.
async fn uploads_and_downloads(stage: &Stage) {
    let task = stage.task().await;
    let (path, announced) = stage.announce(&task).await;
    assert_eq!(announced["status"], "pending");
    assert_eq!(announced["upload"]["headers"]["content-type"], "image/png");
    assert_eq!(
        stage.get(&path).await.json::<Value>().await.expect("JSON")["download"],
        Value::Null
    );

    assert_eq!(stage.upload(&announced, FILE).await.status(), StatusCode::OK);
    let available = stage.becomes(&path, "available").await;
    let url = available["download"]["url"].as_str().expect("a URL");
    let file = stage.world.client.get(url).send().await.expect("an answer");
    assert_eq!(file.headers()["content-type"], "image/png");
    assert_eq!(
        file.headers()["content-disposition"],
        "attachment; filename*=UTF-8''Bild%20%221%22%20f%C3%BCr%20%C3%84.png"
    );
    assert_eq!(file.bytes().await.expect("a body"), FILE);

    let list: Value = stage.get(&format!("{task}/attachments")).await.json().await.expect("JSON");
    assert_eq!(list["attachments"][0]["id"], available["id"]);
    assert!(list["attachments"][0]["download"]["url"].is_string());
    // The URL of a file that is there may be used again: the same file is still the same.
    assert_eq!(stage.upload(&announced, FILE).await.status(), StatusCode::OK);
    stage.becomes(&path, "available").await;
}

#[tokio::test]
async fn a_file_that_was_uploaded_and_verified_can_be_fetched() {
    let stage = Stage::new().await;
    let _worker = stage.worker().await;
    uploads_and_downloads(&stage).await;
}

#[tokio::test]
async fn a_lambda_verifies_like_a_pod() {
    let stage = Stage::new().await;
    let _worker = stage.lambda().await;
    uploads_and_downloads(&stage).await;
}

#[tokio::test]
async fn an_announcement_that_is_repeated_gives_the_same_attachment() {
    let stage = Stage::new().await;
    let path = format!("{}/attachments", stage.task().await);
    let announce = async |body: &Value| {
        stage.call("acme", Method::POST, &path, Some(body), Some("upload-1")).await
    };
    let first = announce(&announcement()).await;
    let (first, place) = (first.status(), location(&first));
    let again = announce(&announcement()).await;
    assert_eq!((first, location(&again)), (StatusCode::CREATED, place));
    let again: Value = again.json().await.expect("JSON");
    assert_eq!(stage.upload(&again, FILE).await.status(), StatusCode::OK);

    let mut other = announcement();
    other["name"] = "other.png".into();
    let other: Value = announce(&other).await.json().await.expect("JSON");
    assert_eq!(other["type"], "urn:problem:idempotency-key-reused");
    assert_eq!(stage.rows().await, 1);
}

#[tokio::test]
async fn what_cannot_be_an_attachment_is_refused_precisely() {
    let stage = Stage::with(&[("ATTACHMENT_MAX_BYTES", "1000")]).await;
    let path = format!("{}/attachments", stage.task().await);
    for (member, value) in [
        ("name", json!("../x")),
        ("content_type", json!("text/html; charset=utf-8")),
        ("size", json!(0)),
        ("size", json!(1001)),
        ("sha256", json!("e3b0c442")),
    ] {
        let mut body = announcement();
        body[member] = value;
        let refused = stage.call("acme", Method::POST, &path, Some(&body), None).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let problem: Value = refused.json().await.expect("JSON");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{member}"), "{problem}");
    }
    for _ in 0..20 {
        stage.announce(path.trim_end_matches("/attachments")).await;
    }
    let full = stage.call("acme", Method::POST, &path, Some(&announcement()), None).await;
    assert_eq!(full.status(), StatusCode::CONFLICT);
    let full: Value = full.json().await.expect("JSON");
    assert_eq!(full["type"], "urn:problem:too-many-attachments");
    let nowhere = format!("/v1/tasks/{}/attachments", Uuid::now_v7());
    let nowhere = stage.call("acme", Method::POST, &nowhere, Some(&announcement()), None).await;
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_tenants_attachment_is_not_found_by_any_method() {
    let stage = Stage::new().await;
    let _worker = stage.worker().await;
    let task = stage.task().await;
    let (path, announced) = stage.announce(&task).await;
    stage.upload(&announced, FILE).await;
    stage.becomes(&path, "available").await;
    let list = format!("{task}/attachments");
    let body = announcement();
    for (method, path, body) in [
        (Method::GET, &path, None),
        (Method::GET, &list, None),
        (Method::POST, &list, Some(&body)),
        (Method::DELETE, &path, None),
    ] {
        let answer = stage.call("other", method, path, body, None).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    stage.becomes(&path, "available").await;
}

#[tokio::test]
async fn a_url_that_is_tampered_with_or_expired_opens_nothing() {
    let stage = Stage::with(&[("ATTACHMENT_UPLOAD_SECONDS", "1")]).await;
    let task = stage.task().await;
    let (path, mut announced) = stage.announce(&task).await;
    let url = announced["upload"]["url"].as_str().expect("a URL").to_owned();
    let elsewhere = object_key(&path).replace("/acme/", "/other/");
    announced["upload"]["url"] = url.replace(&object_key(&path), &elsewhere).into();
    assert_eq!(stage.upload(&announced, FILE).await.status(), StatusCode::FORBIDDEN);

    announced["upload"]["url"] = url.into();
    crate::world::eventually("the URL expires", async || {
        (stage.upload(&announced, FILE).await.status() == StatusCode::FORBIDDEN).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_bucket_there_are_no_attachments() {
    let world = World::new().await;
    let (reader, writer) = (world.reader().await, world.writer().await);
    let path = format!("/v1/tasks/{}/attachments", Uuid::now_v7());
    for request in [
        world.client.get(format!("{}{path}", reader.url)),
        world.client.post(format!("{}{path}", writer.url)).json(&announcement()),
    ] {
        let answer = request.bearer_auth(world.token("acme")).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
}
