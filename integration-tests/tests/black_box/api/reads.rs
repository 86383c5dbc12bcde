//! What is read again, in fewer bytes or in none, and what the log says of it.

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::{Answer, Fixture};
use super::running_function::Entry;
use crate::support::system::{event, eventually};

/// Personal data, which no log may have.
const TITLE: &str = "Buy a present for Ann";

async fn get(fixture: &Fixture, path: &str, header: (&str, &str)) -> Answer {
    fixture.request("GET", path).header(header.0, header.1).send().await
}

pub(super) async fn large_pages_go_compressed_to_who_accepts_that(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    for number in 0..5 {
        fixture.create(&format!("{TITLE} {number}")).await;
    }
    let plain = fixture.get("/v1/tasks").await.with_status(200);
    assert!(plain.body.len() > 1_024, "{} bytes", plain.body.len());
    let small =
        get(&fixture, "/v1/tasks?limit=1", ("accept-encoding", "gzip")).await.with_status(200);
    for answer in [&plain, &small] {
        assert_eq!(answer.headers["content-encoding"], Value::Null);
        assert_eq!(answer.header("vary"), "accept-encoding");
    }
    let zipped =
        get(&fixture, "/v1/tasks", ("accept-encoding", "br, gzip;q=0.8")).await.with_status(200);
    assert_eq!(
        (zipped.header("content-encoding"), zipped.header("vary")),
        ("gzip", "accept-encoding")
    );
    assert_eq!(zipped.headers["etag"], plain.headers["etag"], "a weak tag is of both");
    assert!(zipped.body.len() < plain.body.len() / 2);
    let mut body = Vec::new();
    GzDecoder::new(&*zipped.body).read_to_end(&mut body).expect("gzip");
    assert_eq!(body, plain.body);
    // Nobody is refused for what they accept, after the fact least of all.
    get(&fixture, "/v1/tasks", ("accept-encoding", "identity;q=0")).await.with_status(200);
}

pub(super) async fn a_task_goes_as_the_bytes_that_its_tag_names(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let body = json!({"title": "Read", "description": "Much of it. ".repeat(300)});
    let created = fixture.request("POST", "/v1/tasks").json(&body).send().await.with_status(201);
    let task = get(&fixture, created.header("location"), ("accept-encoding", "gzip"))
        .await
        .with_status(200);
    assert_eq!((task.header("etag"), &task.headers["content-encoding"]), ("\"1\"", &Value::Null));
    assert_eq!(task.json, created.json);
}

pub(super) async fn a_page_that_the_caller_has_is_not_sent_again(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let task = fixture.create("Buy milk").await;
    let history = format!("{task}/history");
    for path in ["/v1/tasks", "/v1/tasks?limit=1&status=open"] {
        let page = fixture.get(path).await.with_status(200);
        let tag = page.header("etag");
        assert!(tag.starts_with("W/\""), "{tag}");
        let same = get(&fixture, path, ("if-none-match", tag)).await.with_status(304);
        assert!(same.body.is_empty());
        for name in ["etag", "vary", "cache-control"] {
            assert_eq!(same.headers[name], page.headers[name], "{name}");
        }
        assert_eq!(page.header("cache-control"), "private, no-cache");
        fixture
            .request("POST", &format!("{task}/assign"))
            .json(&json!({"assignee": path.len().to_string()}))
            .send()
            .await
            .with_status(200);
        let other = get(&fixture, path, ("if-none-match", tag)).await.with_status(200);
        assert_ne!(other.header("etag"), tag);
    }
    fixture.get(&history).await.with_status(404);
}

pub(super) async fn what_was_not_there_is_read_as_soon_as_it_is(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let mut worker = fixture.system.worker().await;
    for processed in 1..4 {
        let id = Uuid::now_v7().to_string();
        let path = format!("/v1/tasks/{id}");
        let read = async || get(&fixture, &path, ("cache-control", "max-age=60")).await;
        for _ in 0..3 {
            read().await.problem(404, "not-found");
        }
        let create = event(&id, "create-task", &id, &json!({"title": "Buy milk"}));
        fixture.system.send(&[(id.clone(), create)]).await;
        fixture.system.processed(processed).await;
        // The worker writes it through after its commit.
        eventually("the task is read", async || (read().await.status == 200).then_some(())).await;
    }
    worker.stop().await.expect("drained");
    let created = fixture.create("Bread").await;
    fixture.get(&created).await.with_status(200);
}

pub(super) async fn each_line_of_the_log_has_tenant_caller_and_cache(entry: Entry) {
    let fixture = Fixture::new(entry).await;
    let task = fixture.create(TITLE).await;
    let title = "/v1/tasks?title=present+for+Ann";
    let unknown = format!("/v1/tasks/{}", Uuid::now_v7());
    let attempts = [
        (task.as_str(), "/v1/tasks/{id}", 200, json!("redis")),
        (&unknown, "/v1/tasks/{id}", 404, json!("database")),
        (&unknown, "/v1/tasks/{id}", 404, json!("redis")),
        (title, "/v1/tasks", 200, json!("database")),
        (title, "/v1/tasks", 200, json!("redis")),
        (&format!("{task}/history"), "/v1/tasks/{id}/history", 404, Value::Null),
    ];
    for (path, route, status, cache) in attempts {
        let id = Uuid::new_v4().to_string();
        let request = fixture.request("GET", path).header("x-request-id", &id);
        request.header("cache-control", "max-age=60").send().await.with_status(status);
        let line = line(&fixture, &id).await;
        assert_eq!((&line["route"], &line["cache"]), (&json!(route), &cache), "{path}");
        assert_eq!((&line["tenant"], &line["status"]), (&json!("acme"), &json!(status)));
        assert_eq!(line["actor"], "local-user");
        assert!(line["duration_ms"].is_f64());
    }
    fixture.anonymous("GET", &task).header("x-request-id", "nobody").send().await.with_status(401);
    let line = line(&fixture, "nobody").await;
    let of_nobody = (&line["tenant"], &line["actor"], &line["cache"]);
    assert_eq!(of_nobody, (&Value::Null, &Value::Null, &Value::Null));
    let log = format!("{:?}", fixture.system.log("task-reader"));
    for personal in ["Ann", "present", task.rsplit('/').next().expect("an id")] {
        assert!(!log.contains(personal), "{personal}");
    }
}

/// What the reader's log says of the request.
async fn line(fixture: &Fixture, request: &str) -> Value {
    fixture.system.logged("task-reader", |line| line["request_id"] == request).await
}
