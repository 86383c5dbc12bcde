//! Many tasks created by one request.

use serde_json::{Value, json};

use super::fixture::{Answer, Fixture};
use super::running_function::Entry;

const BATCH: &str = "/v1/tasks/batch";

async fn create(fixture: &Fixture, key: &str, tasks: &Value) -> Answer {
    let request = fixture.request("POST", BATCH).header("idempotency-key", key);
    request.json(&json!({ "tasks": tasks })).send().await
}

pub(super) async fn each_task_has_an_outcome_of_its_own(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let tasks = json!([
        {"title": "Buy milk", "tags": ["b", "a"]},
        {"title": " "},
        {"titel": "x"},
        {"title": "Buy bread"},
    ]);
    let answer = create(&fixture, "order-17", &tasks).await.with_status(207).json;
    let results = answer["results"].as_array().expect("results");
    let statuses: Vec<_> = results.iter().map(|result| result["status"].as_u64()).collect();
    assert_eq!(statuses, [201, 422, 422, 201].map(Some));
    assert_eq!(results[0]["etag"], "\"1\"");
    assert_eq!(results[0]["task"]["tags"], json!(["a", "b"]));
    let location = results[0]["location"].as_str().expect("a location");
    assert_eq!(fixture.get(location).await.with_status(200).json, results[0]["task"]);
    for (index, pointer) in [(1, "/tasks/1/title"), (2, "/tasks/2/titel")] {
        let problem = &results[index]["problem"];
        assert_eq!(problem["type"], "urn:problem:invalid-body");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    assert_eq!(written(&fixture).await, [2, 2, 2]);
}

pub(super) async fn a_repeated_batch_gets_the_first_results(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let tasks = json!([{"title": "Buy milk"}, {"title": " "}, {"title": "Buy bread"}]);
    let first = create(&fixture, "order-17", &tasks).await.with_status(207);
    assert_eq!(first.headers["idempotency-replayed"], Value::Null);
    let repeat = create(&fixture, "order-17", &tasks).await.with_status(207);
    assert_eq!((repeat.header("idempotency-replayed"), &repeat.json), ("true", &first.json));
    for other in [
        json!([{"title": "Buy milk"}]),
        json!([{"title": "Buy milk"}, {"title": ""}, {"title": "Buy bread"}]),
        json!([{"title": "Sell"}, {"title": "quite"}, {"title": "other"}, {"title": "things"}]),
    ] {
        let refused = create(&fixture, "order-17", &other).await;
        refused.problem(422, "idempotency-key-reused");
    }
    assert_eq!(written(&fixture).await, [2, 2, 2], "nothing of the others was written");

    let single = fixture.request("POST", "/v1/tasks").header("idempotency-key", "order-17");
    single.json(&json!({"title": "Buy milk"})).send().await.with_status(201);
    assert_eq!(written(&fixture).await, [3, 3, 3], "a single write has keys of its own");
}

pub(super) async fn a_hundred_tasks_are_one_request_and_more_are_refused_as_a_whole(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let many = |count: usize, size: usize| {
        let text = "x".repeat(size);
        let task = |number| json!({"title": format!("Task {number}"), "description": text});
        json!({"tasks": (0..count).map(task).collect::<Vec<_>>()})
    };
    let create = async |body: &Value| fixture.request("POST", BATCH).json(body).send().await;
    let created = create(&many(100, 2_000)).await.with_status(207).json;
    let results = created["results"].as_array().expect("results");
    let titles: Vec<_> = results.iter().map(|result| result["task"]["title"].clone()).collect();
    let expected: Vec<_> = (0..100).map(|number| json!(format!("Task {number}"))).collect();
    assert_eq!(titles, expected, "in the order of the request");

    for (body, pointer) in [
        (many(101, 1), "/tasks"),
        (many(0, 1), "/tasks"),
        (json!({}), ""),
        (json!({"tasks": null}), "/tasks"),
        (json!({"title": "Buy milk"}), "/title"),
        (json!([{"title": "Buy milk"}]), ""),
    ] {
        let problem = create(&body).await.problem(422, "invalid-body");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    create(&many(100, 3_000)).await.problem(413, "payload-too-large");
    let broken = fixture.request("POST", BATCH).text("application/json", "{\"tasks\":[{]}");
    broken.send().await.problem(400, "malformed-body");
    assert_eq!(written(&fixture).await, [100, 100, 100]);
}

/// Tasks, processed commands, and facts.
async fn written(fixture: &Fixture) -> [i64; 3] {
    [
        fixture.system.count("SELECT count(*) FROM tasks").await,
        fixture.system.count("SELECT count(*) FROM inbox").await,
        fixture.system.count("SELECT count(*) FROM outbox").await,
    ]
}
