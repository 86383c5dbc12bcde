//! Many tasks created by one request.

use serde_json::{Value, json};

use super::place::Entry;
use super::stage::{Answer, Stage};

const BATCH: &str = "/v1/tasks/batch";

async fn create(stage: &Stage, key: &str, tasks: &Value) -> Answer {
    let request = stage.request("POST", BATCH).header("idempotency-key", key);
    request.json(&json!({ "tasks": tasks })).send().await
}

pub(super) async fn each_task_has_an_outcome_of_its_own(entry: Entry) {
    let stage = Stage::new(entry).await;
    let tasks = json!([
        {"title": "Buy milk", "tags": ["b", "a"]},
        {"title": " "},
        {"titel": "x"},
        {"title": "Buy bread"},
    ]);
    let answer = create(&stage, "order-17", &tasks).await.of(207).json;
    let results = answer["results"].as_array().expect("results");
    let statuses: Vec<_> = results.iter().map(|result| result["status"].as_u64()).collect();
    assert_eq!(statuses, [201, 422, 422, 201].map(Some));
    assert_eq!(results[0]["etag"], "\"1\"");
    assert_eq!(results[0]["task"]["tags"], json!(["a", "b"]));
    let location = results[0]["location"].as_str().expect("a location");
    assert_eq!(stage.get(location).await.of(200).json, results[0]["task"]);
    for (index, pointer) in [(1, "/tasks/1/title"), (2, "/tasks/2/titel")] {
        let problem = &results[index]["problem"];
        assert_eq!(problem["type"], "urn:problem:invalid-body");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    assert_eq!(written(&stage).await, [2, 2, 2]);
}

pub(super) async fn a_repeated_batch_gets_the_first_results(entry: Entry) {
    let stage = Stage::new(entry).await;
    let tasks = json!([{"title": "Buy milk"}, {"title": " "}, {"title": "Buy bread"}]);
    let first = create(&stage, "order-17", &tasks).await.of(207);
    assert_eq!(first.headers["idempotency-replayed"], Value::Null);
    let repeat = create(&stage, "order-17", &tasks).await.of(207);
    assert_eq!((repeat.header("idempotency-replayed"), &repeat.json), ("true", &first.json));
    for other in [
        json!([{"title": "Buy milk"}]),
        json!([{"title": "Buy milk"}, {"title": ""}, {"title": "Buy bread"}]),
        json!([{"title": "Sell"}, {"title": "quite"}, {"title": "other"}, {"title": "things"}]),
    ] {
        let refused = create(&stage, "order-17", &other).await;
        refused.problem(422, "idempotency-key-reused");
    }
    assert_eq!(written(&stage).await, [2, 2, 2], "nothing of the others was written");

    let single = stage.request("POST", "/v1/tasks").header("idempotency-key", "order-17");
    single.json(&json!({"title": "Buy milk"})).send().await.of(201);
    assert_eq!(written(&stage).await, [3, 3, 3], "a single write has keys of its own");
}

pub(super) async fn a_hundred_tasks_are_one_request_and_more_are_refused_as_a_whole(entry: Entry) {
    let stage = Stage::new(entry).await;
    let many = |count: usize, size: usize| {
        let text = "x".repeat(size);
        let task = |number| json!({"title": format!("Task {number}"), "description": text});
        json!({"tasks": (0..count).map(task).collect::<Vec<_>>()})
    };
    let create = async |body: &Value| stage.request("POST", BATCH).json(body).send().await;
    let created = create(&many(100, 2_000)).await.of(207).json;
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
    let broken = stage.request("POST", BATCH).text("application/json", "{\"tasks\":[{]}");
    broken.send().await.problem(400, "malformed-body");
    assert_eq!(written(&stage).await, [100, 100, 100]);
}

/// Tasks, processed commands, and facts.
async fn written(stage: &Stage) -> [i64; 3] {
    [
        stage.world.count("SELECT count(*) FROM tasks").await,
        stage.world.count("SELECT count(*) FROM inbox").await,
        stage.world.count("SELECT count(*) FROM outbox").await,
    ]
}
