//! The history of tasks: every version, from the facts, read in pages.

use domain::{Task, limits};
use fake_lambda::LambdaApi;
use local_stack::{Environment, Function};
use records::{Change, History, HistoryConfig};
use reqwest::StatusCode;
use serde_json::{Value, json};
use test_values::hostile;
use uuid::Uuid;

use crate::relay::{facts_queue, relay};
use crate::support::event_source_mapping::{Mapping, TIME};
use crate::support::system::{Api, PATIENCE, TestSystem, binary, event, eventually};

/// What the projector of the facts in `queue` finds in its environment.
fn environment(system: &TestSystem, queue: &str) -> Environment {
    system.environment(&system.database.reader_url).with("QUEUE_URL", queue)
}

/// A pod of the projector of the facts in `queue`.
pub(crate) async fn projector(system: &TestSystem, queue: &str) -> Function {
    let environment = environment(system, queue);
    let mut projector =
        Function::start(&binary("history-projector"), "projector", &environment, &system.state)
            .expect("a process");
    projector.ready(PATIENCE).await.expect("a projector that is ready");
    projector
}

async fn page(
    system: &TestSystem,
    reader: &Api,
    path: &str,
    tenant: &str,
) -> (StatusCode, Option<String>, Value) {
    let request = system.client.get(format!("{}{path}", reader.url));
    let response = request.bearer_auth(system.token(tenant)).send().await.expect("an answer");
    let link = response.headers().get("link").map(|link| link.to_str().expect("text"));
    let next = link.map(|link| link.split(['<', '>']).nth(1).expect("an address").to_owned());
    (response.status(), next, response.json().await.expect("JSON"))
}

/// A task's whole history, the newest first, read three entries at a time.
async fn history(system: &TestSystem, reader: &Api, task: &str) -> Vec<Value> {
    let mut next = Some(format!("/v1/tasks/{task}/history?limit=3"));
    let mut entries = Vec::new();
    while let Some(path) = next {
        let (_, following, body) = page(system, reader, &path, "acme").await;
        entries.extend(body["history"].as_array().cloned().unwrap_or_default());
        next = following;
    }
    entries
}

#[tokio::test]
async fn history_is_the_fold_of_the_facts() {
    let system = TestSystem::new().await;
    system.create_tables().await;
    let facts = facts_queue(&system).await;
    let (_worker, reader) = (system.worker().await, system.reader().await);
    let _relay = relay(&system, "relay", &[&facts.url]).await;
    let _projector = projector(&system, &facts.url).await;

    let task = Uuid::now_v7().to_string();
    let mut commands = vec![event("1", "create-task", &task, &json!({"title": "Version 1"}))];
    for version in 2..=10 {
        let title = format!("Version {version}");
        let patch = json!({"patch": {"title": title}});
        commands.push(event(&version.to_string(), "update-task", &task, &patch));
    }
    commands.push(event("11", "complete-task", &task, &json!({})));
    commands.push(event("12", "complete-task", &task, &json!({})));
    commands.push(event("13", "delete-task", &task, &json!({})));
    let messages: Vec<_> = commands.iter().map(|body| (task.clone(), body.clone())).collect();
    system.send(&messages).await;
    system.send(&messages).await;

    let entries = eventually("the whole history", async || {
        Some(history(&system, &reader, &task).await).filter(|entries| entries.len() == 12)
    })
    .await;
    let versions: Vec<_> = entries.iter().filter_map(|entry| entry["version"].as_i64()).collect();
    assert_eq!(versions, (1..=12).rev().collect::<Vec<_>>());
    assert_eq!(entries[0]["type"], "dev.task-app.task.deleted.v1");
    assert_eq!(entries[1]["type"], "dev.task-app.task.completed.v1");
    assert!(entries.iter().all(|entry| entry["actor"] == "/black-box"), "the producer");
    for (entry, version) in entries[2..].iter().zip((1..=10).rev()) {
        assert_eq!(entry["task"]["title"], format!("Version {version}"));
        assert_eq!(entry["task"]["version"], version);
    }
    let path = format!("/v1/tasks/{task}/history");
    assert_eq!(page(&system, &reader, &path, "other").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_lambda_writes_history_too() {
    let system = TestSystem::new().await;
    system.create_tables().await;
    let facts = facts_queue(&system).await;
    let (_worker, reader) = (system.worker().await, system.reader().await);
    let _relay = relay(&system, "relay", &[&facts.url]).await;
    let api = LambdaApi::start().await;
    let environment = environment(&system, &facts.url);
    let _projector = system.start_lambda("history-projector", &environment, &api);
    let _mapping = Mapping::start(system.sqs.clone(), facts.url.clone(), api, TIME);

    let task = Uuid::now_v7().to_string();
    let create = event("1", "create-task", &task, &json!({"title": "A"}));
    let complete = event("2", "complete-task", &task, &json!({}));
    system.send(&[(task.clone(), create), (task.clone(), complete)]).await;
    let entries = eventually("the whole history", async || {
        Some(history(&system, &reader, &task).await).filter(|entries| entries.len() == 2)
    })
    .await;
    assert_eq!(entries[0]["type"], "dev.task-app.task.completed.v1");
    assert_eq!(entries[1]["type"], "dev.task-app.task.created.v1");
}

/// A version of the largest task that there can be.
fn largest(id: &str, version: i64) -> Change {
    let mut task = hostile::largest_task();
    let further = json!({
        "id": id, "tenant": "acme", "status": "open", "version": version,
        "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z",
    });
    let further = further.as_object().expect("an object").clone();
    task.as_object_mut().expect("an object").extend(further);
    let task: Box<Task> = serde_json::from_value(task).expect("a task");
    Change { kind: "dev.task-app.task.updated.v1", time: task.updated_at, actor: None, task }
}

#[tokio::test]
async fn a_page_of_large_entries_ends_early_and_no_entry_is_missed() {
    const VERSIONS: i64 = 20;
    let system = TestSystem::new().await;
    system.create_tables().await;
    let reader = system.reader().await;
    let task = Uuid::now_v7().to_string();
    let table = HistoryConfig { history_table: system.table("history") };
    let table = History::new(&system.aws.config(), table);
    for version in 1..=VERSIONS {
        assert!(table.append(&[largest(&task, version)]).await[0].is_ok());
    }
    let mut next = Some(format!("/v1/tasks/{task}/history?limit=200"));
    let (mut versions, mut pages) = (Vec::new(), 0);
    while let Some(path) = next {
        let (_, following, body) = page(&system, &reader, &path, "acme").await;
        let bytes = body.to_string().len();
        // Beside the tasks, an entry has a little.
        assert!(bytes < limits::PAGE_BYTES_MAX + 200 * 200, "{bytes} bytes");
        let entries = body["history"].as_array().expect("entries");
        assert!(!entries.is_empty());
        versions.extend(entries.iter().filter_map(|entry| entry["version"].as_i64()));
        (next, pages) = (following, pages + 1);
    }
    assert_eq!(versions, (1..=VERSIONS).rev().collect::<Vec<_>>());
    assert!(pages > 1, "all on one page");
}
