//! A row that cannot be read: a 500 that the log explains for its task, and nothing for any other.
//! The row is broken by the owner, past all checks.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use redis::RedisResult;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{get, post};
use crate::dead_letters::dead_letters;
use crate::support::system::{Api, TestSystem, event, eventually};

async fn break_title(system: &TestSystem, task: &str) {
    let statement = "UPDATE tasks SET title = E'Ann''s\nsecret' WHERE id = $1::uuid";
    let broken = sqlx::query(statement).bind(task).execute(&system.owner).await;
    assert_eq!(broken.expect("a change").rows_affected(), 1);
    let client = redis::Client::open(system.redis_url.expose_secret()).expect("a URL");
    let mut redis = client.get_multiplexed_async_connection().await.expect("a connection");
    let flushed: RedisResult<()> = redis::cmd("FLUSHDB").query_async(&mut redis).await;
    flushed.expect("an empty cache");
}

/// A request that fails: its status, and what the log says of it beside the line of its end.
async fn fails(
    system: &TestSystem,
    api: &Api,
    of: &str,
    method: Method,
    path: &str,
) -> (u16, Value) {
    let id = Uuid::new_v4().to_string();
    let request = system.client.request(method.clone(), format!("{}{path}", api.url));
    let request = request.bearer_auth(system.token("acme")).header("x-request-id", &id);
    let request = if method == Method::GET {
        request
    } else {
        let rename = json!({"title": "New"}).to_string();
        request.header("content-type", "application/merge-patch+json").body(rename)
    };
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let problem: Value = response.json().await.expect("JSON");
    assert_eq!(problem["request_id"], json!(id), "{problem}");
    let explains = |line: &Value| line["request_id"] == json!(id) && line["message"] != "request";
    let line = system.logged(of, explains).await;
    (status, line)
}

#[tokio::test]
async fn a_task_that_cannot_be_read_is_an_error_of_its_own() {
    let system = TestSystem::new().await;
    system.create_tables().await;
    let (writer, reader, _worker) =
        (system.writer().await, system.reader().await, system.worker().await);
    let mut ids = Vec::new();
    for title in ["Broken", "Whole"] {
        let task = post(&system, &writer, &json!({ "title": title }), &[]).await;
        ids.push(task["id"].as_str().expect("an id").to_owned());
    }
    break_title(&system, &ids[0]).await;

    let path = format!("/v1/tasks/{}", ids[0]);
    let (status, line) = fails(&system, &reader, "task-reader", Method::GET, &path).await;
    assert_eq!(status, 500, "{line}");
    assert!(line.to_string().contains("/title") && !line.to_string().contains("secret"), "{line}");
    let (status, line) = fails(&system, &writer, "task-writer", Method::PATCH, &path).await;
    assert_eq!(status, 500, "{line}");
    let (status, page) = get(&system, &reader, "/v1/tasks").await;
    assert_eq!((status, &page["unreadable"]), (200, &json!([ids[0]])));
    assert_eq!(
        (page["tasks"].as_array().map(Vec::len), &page["tasks"][0]["id"]),
        (Some(1), &json!(ids[1]))
    );

    let rename = |id: &str| event(id, "update-task", id, &json!({"patch": {"title": "New"}}));
    let messages: Vec<_> = ids.iter().map(|id| (id.clone(), rename(id))).collect();
    system.send(&messages).await;
    let found = dead_letters(&system, 1).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[&rename(&ids[0])].0, "row_unreadable");
    eventually("the neighbour is renamed", async || {
        let (_, task) = get(&system, &reader, &format!("/v1/tasks/{}", ids[1])).await;
        (task["title"] == "New").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_history_goes_on_without_the_version_that_cannot_be_read() {
    let system = TestSystem::new().await;
    system.create_tables().await;
    let (reader, task) = (system.reader().await, Uuid::now_v7());
    let dynamodb = Client::new(&system.aws.config());
    for (version, data) in [(1, Some("{}")), (2, None), (3, Some("{}"))] {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = dynamodb
            .put_item()
            .table_name(system.table("history"))
            .item("task", text(&format!("acme/{task}")))
            .item("version", AttributeValue::N(version.to_string()))
            .item("type", text("dev.task-app.task.updated.v1"))
            .item("time", text("2026-01-31T09:30:00Z"));
        let put = data.into_iter().fold(put, |put, data| put.item("data", text(data)));
        put.send().await.expect("an entry");
    }
    let (status, page) = get(&system, &reader, &format!("/v1/tasks/{task}/history")).await;
    let entries = page["history"].as_array().expect("entries").iter();
    let versions: Vec<_> = entries.map(|entry| entry["version"].as_i64()).collect();
    assert_eq!((status, versions), (200, vec![Some(3), Some(1)]));
    assert_eq!(page["unreadable"], json!([2]));
}

#[tokio::test]
async fn a_503_says_in_the_log_what_failed() {
    let system = TestSystem::new().await;
    let environment = system.api_environment(&system.database.reader_url);
    let environment = environment.with("DATABASE_STATEMENT_TIMEOUT_MS", "200");
    let reader = system.api("task-reader", environment).await;
    let environment = system.api_environment(&system.database.writer_url);
    let environment = environment.with("DATABASE_STATEMENT_TIMEOUT_MS", "200");
    let writer = system.api("task-writer", environment).await;
    let mut lock = system.owner.begin().await.expect("a transaction");
    let statement = "LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(statement).execute(&mut *lock).await.expect("a lock");

    let path = format!("/v1/tasks/{}", Uuid::now_v7());
    for (api, of, method, path) in [
        (&reader, "task-reader", Method::GET, path.as_str()),
        (&reader, "task-reader", Method::GET, "/v1/tasks"),
        (&writer, "task-writer", Method::PATCH, path.as_str()),
    ] {
        let (status, line) = fails(&system, api, of, method, path).await;
        assert_eq!(status, 503, "{line}");
        let cause = line["cause"].as_str().expect("a cause");
        assert!(cause.contains("statement timeout"), "{line}");
    }
}
