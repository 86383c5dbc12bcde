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

pub(super) async fn a_key_belongs_to_its_caller(entry: Entry) {
    let fixture = Fixture::with(entry, &[("ATTACHMENT_BUCKET", "a-bucket")]).await;
    let callers = ["ann", "bob"].map(|caller| fixture.system.token_of(caller, "acme"));
    let file = json!({
        "name": "list.txt", "content_type": "text/plain", "size": 3,
        "sha256": "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
    });
    let files = format!("{}/attachments", fixture.create("With files").await);
    let milk = json!({"title": "Buy milk"});
    let many = json!({"tasks": [milk, milk]});
    for (path, body, status) in
        [("/v1/tasks", &milk, 201), ("/v1/tasks/batch", &many, 207), (&files, &file, 201)]
    {
        let send = async |token: &str| {
            let request = fixture.request("POST", path).bearer(token).json(body);
            request.header("idempotency-key", "order-17").send().await.with_status(status)
        };
        let mut first = Vec::new();
        for token in &callers {
            let answer = send(token).await;
            assert!(answer.headers["idempotency-replayed"].is_null(), "{path}");
            first.push(answer);
        }
        for (token, first) in callers.iter().zip(first) {
            let again = send(token).await;
            assert_eq!(again.header("idempotency-replayed"), "true", "{path}");
            assert_eq!(again.headers["location"], first.headers["location"], "{path}");
            assert_eq!(again.json["results"], first.json["results"], "{path}");
        }
    }
    let [tasks, files] = ["SELECT count(*) FROM tasks", "SELECT count(*) FROM attachments"];
    assert_eq!(fixture.system.count(tasks).await, 1 + 2 + 4);
    assert_eq!(fixture.system.count(files).await, 2);
}
