//! Heads that say a thing twice, or too much.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::json;

use super::problem;
use crate::support::system::TestSystem;

#[tokio::test]
async fn what_may_be_said_once_is_not_said_twice() {
    let system = TestSystem::new().await;
    let api = system.writer().await;
    let tokens = [system.token("acme"), system.token("other")];
    let create =
        || system.client.post(format!("{}/v1/tasks", api.url)).json(&json!({"title": "x"}));

    let two_callers = create().bearer_auth(&tokens[0]).bearer_auth(&tokens[1]);
    let (status, _) = problem(two_callers.send().await.expect("an answer")).await;
    assert_eq!(status, 401);

    let create = || create().bearer_auth(&tokens[0]);
    for (name, values, expected) in [
        ("idempotency-key", ["a", "b"], (400, "invalid-header")),
        ("idempotency-key", ["a", "a"], (400, "invalid-header")),
        ("content-type", ["application/json", "text/plain"], (415, "unsupported-media-type")),
        ("content-encoding", ["identity", "gzip"], (415, "encoded-body")),
    ] {
        let mut request = create().build().expect("a request");
        request.headers_mut().remove(name);
        for value in values {
            request.headers_mut().append(name, value.parse().expect("a value"));
        }
        let answer = system.client.execute(request).await.expect("an answer");
        let (status, name) = problem(answer).await;
        assert_eq!((status, name.as_str()), expected, "{values:?}");
    }
    assert_eq!(system.count("SELECT count(*) FROM tasks").await, 0);
}

#[tokio::test]
async fn a_change_depends_on_one_version() {
    let system = TestSystem::new().await;
    let api = system.writer().await;
    let url = format!("{}/v1/tasks", api.url);
    let token = system.token("acme");
    let created = system.client.post(&url).bearer_auth(&token).json(&json!({"title": "x"}));
    let created = created.send().await.expect("an answer");
    let location = created.headers()["location"].to_str().expect("text").to_owned();

    let change = system.client.patch(format!("{}{location}", api.url)).bearer_auth(&token);
    let change = change.json(&json!({"title": "y"}));
    let change = change.header("if-match", "\"1\"").header("if-match", "\"2\"");
    let (status, _) = problem(change.send().await.expect("an answer")).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_head_has_a_limit() {
    let system = TestSystem::new().await;
    let api = system.writer().await;
    let url = format!("{}/v1/tasks", api.url);
    let bearer = format!("Bearer {}", system.token("acme"));
    let create = |url: &str| {
        let request = system.client.post(url).header(AUTHORIZATION, &bearer);
        request.header(CONTENT_TYPE, "application/json").body("{}")
    };
    let long = create(&url).header("x-long", "x".repeat(20_000));
    let many = (0..80).fold(create(&url), |request, n| request.header(format!("x-{n}"), "y"));
    let target = create(&format!("{url}?{}", "x".repeat(20_000)));
    let token = system.client.post(&url).bearer_auth("x".repeat(20_000));
    for request in [long, many, target, token] {
        let answer = request.send().await.expect("an answer");
        assert_eq!(problem(answer).await, (431, "head-too-large".to_owned()));
    }
}
