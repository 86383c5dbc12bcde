//! Attachments as their owners see them: announced here, sent to S3, verified, fetched from S3.

mod envelopes;
mod fixture;
mod names;
mod removal;
mod verification;
mod versions;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::system::TestSystem;
pub(crate) use fixture::Fixture;
use fixture::{FILE, announcement, location, object_key};

/// From the announcement to the file as somebody else fetches it.
async fn uploads_and_downloads(fixture: &Fixture) {
    let task = fixture.task().await;
    let (path, announced) = fixture.announce(&task).await;
    assert_eq!(announced["status"], "pending");
    assert_eq!(announced["upload"]["headers"]["content-type"], "image/png");
    assert_eq!(
        fixture.get(&path).await.json::<Value>().await.expect("JSON")["download"],
        Value::Null
    );

    assert_eq!(fixture.upload(&announced, FILE).await.status(), StatusCode::OK);
    let available = fixture.becomes(&path, "available").await;
    let url = available["download"]["url"].as_str().expect("a URL");
    let file = fixture.system.client.get(url).send().await.expect("an answer");
    assert_eq!(file.headers()["content-type"], "image/png");
    assert_eq!(
        file.headers()["content-disposition"],
        "attachment; filename*=UTF-8''Bild%20%221%22%20f%C3%BCr%20%C3%84.png"
    );
    assert_eq!(file.bytes().await.expect("a body"), FILE);

    let list: Value = fixture.get(&format!("{task}/attachments")).await.json().await.expect("JSON");
    assert_eq!(list["attachments"][0]["id"], available["id"]);
    assert!(list["attachments"][0]["download"]["url"].is_string());
    // The URL of a file that is there may be used again: the same file is still the same.
    assert_eq!(fixture.upload(&announced, FILE).await.status(), StatusCode::OK);
    fixture.becomes(&path, "available").await;
}

#[tokio::test]
async fn a_file_that_was_uploaded_and_verified_can_be_fetched() {
    let fixture = Fixture::new().await;
    let _worker = fixture.worker().await;
    uploads_and_downloads(&fixture).await;
}

#[tokio::test]
async fn a_lambda_verifies_like_a_pod() {
    let fixture = Fixture::new().await;
    let _worker = fixture.lambda().await;
    uploads_and_downloads(&fixture).await;
}

#[tokio::test]
async fn an_announcement_that_is_repeated_gives_the_same_attachment() {
    let fixture = Fixture::new().await;
    let path = format!("{}/attachments", fixture.task().await);
    let announce = async |body: &Value| {
        fixture.call("acme", Method::POST, &path, Some(body), Some("upload-1")).await
    };
    let first = announce(&announcement()).await;
    let (first, place) = (first.status(), location(&first));
    let again = announce(&announcement()).await;
    assert_eq!((first, location(&again)), (StatusCode::CREATED, place));
    let again: Value = again.json().await.expect("JSON");
    assert_eq!(fixture.upload(&again, FILE).await.status(), StatusCode::OK);

    let mut other = announcement();
    other["name"] = "other.png".into();
    let other: Value = announce(&other).await.json().await.expect("JSON");
    assert_eq!(other["type"], "urn:problem:idempotency-key-reused");
    assert_eq!(fixture.rows().await, 1);
}

#[tokio::test]
async fn what_cannot_be_an_attachment_is_refused_precisely() {
    let fixture = Fixture::with(&[("ATTACHMENT_MAX_BYTES", "1000")]).await;
    let path = format!("{}/attachments", fixture.task().await);
    for (member, value) in [
        ("name", json!("../x")),
        ("content_type", json!("text/html; charset=utf-8")),
        ("size", json!(0)),
        ("size", json!(1001)),
        ("sha256", json!("e3b0c442")),
    ] {
        let mut body = announcement();
        body[member] = value;
        let refused = fixture.call("acme", Method::POST, &path, Some(&body), None).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let problem: Value = refused.json().await.expect("JSON");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{member}"), "{problem}");
    }
    for _ in 0..20 {
        fixture.announce(path.trim_end_matches("/attachments")).await;
    }
    let full = fixture.call("acme", Method::POST, &path, Some(&announcement()), None).await;
    assert_eq!(full.status(), StatusCode::CONFLICT);
    let full: Value = full.json().await.expect("JSON");
    assert_eq!(full["type"], "urn:problem:too-many-attachments");
    let nowhere = format!("/v1/tasks/{}/attachments", Uuid::now_v7());
    let nowhere = fixture.call("acme", Method::POST, &nowhere, Some(&announcement()), None).await;
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_tenants_attachment_is_not_found_by_any_method() {
    let fixture = Fixture::new().await;
    let _worker = fixture.worker().await;
    let task = fixture.task().await;
    let (path, announced) = fixture.announce(&task).await;
    fixture.upload(&announced, FILE).await;
    fixture.becomes(&path, "available").await;
    let list = format!("{task}/attachments");
    let body = announcement();
    for (method, path, body) in [
        (Method::GET, &path, None),
        (Method::GET, &list, None),
        (Method::POST, &list, Some(&body)),
        (Method::DELETE, &path, None),
    ] {
        let answer = fixture.call("other", method, path, body, None).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    fixture.becomes(&path, "available").await;
}

#[tokio::test]
async fn a_url_that_is_tampered_with_or_expired_opens_nothing() {
    let fixture = Fixture::with(&[("ATTACHMENT_UPLOAD_SECONDS", "1")]).await;
    let task = fixture.task().await;
    let (path, mut announced) = fixture.announce(&task).await;
    let url = announced["upload"]["url"].as_str().expect("a URL").to_owned();
    let elsewhere = object_key(&path).replace("/acme/", "/other/");
    announced["upload"]["url"] = url.replace(&object_key(&path), &elsewhere).into();
    assert_eq!(fixture.upload(&announced, FILE).await.status(), StatusCode::FORBIDDEN);

    announced["upload"]["url"] = url.into();
    crate::support::system::eventually("the URL expires", async || {
        (fixture.upload(&announced, FILE).await.status() == StatusCode::FORBIDDEN).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_bucket_there_are_no_attachments() {
    let system = TestSystem::new().await;
    let (reader, writer) = (system.reader().await, system.writer().await);
    let path = format!("/v1/tasks/{}/attachments", Uuid::now_v7());
    for request in [
        system.client.get(format!("{}{path}", reader.url)),
        system.client.post(format!("{}{path}", writer.url)).json(&announcement()),
    ] {
        let answer = request.bearer_auth(system.token("acme")).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
}
