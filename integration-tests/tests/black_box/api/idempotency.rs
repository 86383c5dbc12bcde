//! Requests that are sent again.

use serde_json::json;

use super::place::Entry;
use super::stage::{Answer, Stage};

async fn create(stage: &Stage, key: &str, title: &str) -> Answer {
    let request = stage.request("POST", "/v1/tasks").json(&json!({"title": title}));
    request.header("idempotency-key", key).send().await
}

pub(super) async fn a_repeat_gets_the_first_result(entry: Entry) {
    let stage = Stage::new(entry).await;
    let first = create(&stage, "\"order-17\"", "Buy milk").await.of(201);
    assert!(first.headers["idempotency-replayed"].is_null());
    let second = create(&stage, "order-17", "Buy milk").await.of(201);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(
        (second.json, &second.headers["location"]),
        (first.json, &first.headers["location"])
    );
    assert_eq!(stage.world.count("SELECT count(*) FROM tasks").await, 1);

    let path = first.headers["location"].as_str().expect("a location");
    let complete = format!("{path}/complete");
    let complete = || stage.request("POST", &complete).header("idempotency-key", "done");
    complete().send().await.of(200);
    let again = complete().send().await.of(200);
    assert_eq!(again.header("idempotency-replayed"), "true");
}

pub(super) async fn a_key_belongs_to_one_request(entry: Entry) {
    let stage = Stage::new(entry).await;
    create(&stage, "order-17", "Buy milk").await.of(201);
    create(&stage, "order-17", "Buy bread").await.problem(422, "idempotency-key-reused");
    create(&stage, "", "Buy bread").await.problem(400, "invalid-header");
    create(&stage, "two words", "Buy bread").await.problem(400, "invalid-header");
    let other = stage.request("POST", "/v1/tasks").json(&json!({"title": "Buy bread"}));
    let other = other.bearer(&stage.world.token("other")).header("idempotency-key", "order-17");
    other.send().await.of(201);
    assert_eq!(stage.world.count("SELECT count(*) FROM tasks").await, 2);
}
