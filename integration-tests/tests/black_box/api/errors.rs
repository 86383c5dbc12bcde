//! The problem details that callers get.

use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::{Answer, Fixture};
use super::running_function::Entry;

async fn post(fixture: &Fixture, content_type: &str, body: &str) -> Answer {
    fixture.request("POST", "/v1/tasks").text(content_type, body).send().await
}

pub(super) async fn errors_are_precise(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let problem = post(&fixture, "application/json", "{\n\"title\": }").await;
    let problem = problem.problem(400, "malformed-body");
    assert_eq!((&problem["line"], &problem["column"]), (&json!(2), &json!(10)));

    for (body, pointer) in [
        (json!({"title": " "}), "/title"),
        (json!({"title": "\u{200b}\u{a0}"}), "/title"),
        (json!({"title": "two\u{2028}lines"}), "/title"),
        (json!({"title": "\u{202e}turned"}), "/title"),
        (json!({"title": "x", "tags": ["ok", "Not OK"]}), "/tags/1"),
        (json!({"title": "x", "due_date": "tomorrow"}), "/due_date"),
        (json!({"title": "x", "colour": "red"}), "/colour"),
        (json!({"title": "x", "priority": null}), "/priority"),
        (json!({"title": "x", "priority": 5}), "/priority"),
        (json!({"title": "x", "priority": []}), "/priority"),
        (json!({"title": "x", "priority": {"high": null}}), "/priority"),
        (json!({}), ""),
    ] {
        let problem = post(&fixture, "application/json", &body.to_string()).await;
        let problem = problem.problem(422, "invalid-body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        assert!(problem["errors"][0]["detail"].is_string(), "{problem}");
    }
    let problem = post(&fixture, "application/json", r#"{"title":"x","priority":1e999}"#).await;
    let problem = problem.problem(422, "invalid-body");
    assert_eq!(problem["errors"][0]["pointer"], "/priority", "{problem}");
    post(&fixture, "text/plain", "title=x").await.problem(415, "unsupported-media-type");
    let large = format!(r#"{{"title":"{}"}}"#, "x".repeat(300_000));
    post(&fixture, "application/json", &large).await.problem(413, "payload-too-large");
    let encoded = fixture.request("POST", "/v1/tasks").json(&json!({"title": "x"}));
    encoded.header("content-encoding", "gzip").send().await.problem(415, "encoded-body");
}

pub(super) async fn what_is_not_there_is_reported(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    fixture.get("/v1/nothing").await.problem(404, "not-found");
    fixture.get(&format!("/v1/tasks/{}", Uuid::now_v7())).await.problem(404, "not-found");
    let problem = fixture.get("/v1/tasks/not-an-id").await.problem(400, "invalid-parameter");
    assert_eq!(problem["parameter"], "id");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("UUID")), "{problem}");

    let put = fixture.request("PUT", "/v1/tasks").json(&Value::Null).send().await;
    assert!(put.header("allow").contains("POST"), "{put:?}");
    put.problem(405, "method-not-allowed");
}
