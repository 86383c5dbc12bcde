//! Requests that are sent again.

use serde_json::json;

use super::fixture::{Answer, Fixture};
use super::running_function::Entry;

async fn create(fixture: &Fixture, key: &str, title: &str) -> Answer {
    let request = fixture.request("POST", "/v1/tasks").json(&json!({"title": title}));
    request.header("idempotency-key", key).send().await
}

pub(super) async fn a_repeat_gets_the_first_result(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let first = create(&fixture, "\"order-17\"", "Buy milk").await.with_status(201);
    assert!(first.headers["idempotency-replayed"].is_null());
    let second = create(&fixture, "order-17", "Buy milk").await.with_status(201);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(
        (second.json, &second.headers["location"]),
        (first.json, &first.headers["location"])
    );
    assert_eq!(fixture.system.count("SELECT count(*) FROM tasks").await, 1);

    let path = first.headers["location"].as_str().expect("a location");
    let complete = format!("{path}/complete");
    let complete = || fixture.request("POST", &complete).header("idempotency-key", "done");
    complete().send().await.with_status(200);
    let again = complete().send().await.with_status(200);
    assert_eq!(again.header("idempotency-replayed"), "true");
}

pub(super) async fn a_key_belongs_to_one_request(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    create(&fixture, "order-17", "Buy milk").await.with_status(201);
    create(&fixture, "order-17", "Buy bread").await.problem(422, "idempotency-key-reused");
    create(&fixture, "", "Buy bread").await.problem(400, "invalid-header");
    create(&fixture, "two words", "Buy bread").await.problem(400, "invalid-header");
    let other = fixture.request("POST", "/v1/tasks").json(&json!({"title": "Buy bread"}));
    let other = other.bearer(&fixture.system.token("other")).header("idempotency-key", "order-17");
    other.send().await.with_status(201);
    assert_eq!(fixture.system.count("SELECT count(*) FROM tasks").await, 2);
}
