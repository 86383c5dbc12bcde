//! The connection to PostgreSQL breaks at every message: before it arrives, and before its answer
//! is, as when a commit's answer is lost.

use serde_json::{Value, json};

use super::plan::{Fault, Step};
use super::systems::{commands, committed, no_fact_is_pending, relay_to, to_postgresql, worker};
use super::{every_step, final_state, first};
use crate::relay::{facts_queue, subscriber::Subscriber};
use crate::support::system::{Api, TestSystem, eventually, with_body};

const CUTS: [Fault; 2] = [Fault::Unheard, Fault::Unanswered];

#[test]
fn a_worker_cut_off_from_postgresql_applies_each_command_once() {
    every_step(&CUTS, first, async |plan| {
        let (system, load) = (TestSystem::new().await, commands());
        system.send(&load.messages).await;
        let (_wire, url) = to_postgresql(&system.database.writer_url, &plan).await;
        let mut worker = worker(&system, &[("DATABASE_URL", &url)]);
        plan.has_happened().await;
        final_state::is_empty(&system, &system.queue, 0).await;
        load.assert_is_what_is_left(&system).await;
        worker.kill().await.expect("killed");
    });
}

#[test]
fn a_relay_cut_off_from_postgresql_publishes_every_fact_in_order() {
    // What prepares a statement leaves nothing behind.
    let prepares = ["Parse", "Describe", "Sync after Describe", "Bind"];
    let matters =
        |step: &Step| first(step) && !prepares.iter().any(|name| step.label.starts_with(name));
    every_step(&CUTS, matters, async |plan| {
        let system = committed().await;
        let facts = facts_queue(&system).await;
        let (_wire, url) = to_postgresql(&system.database.relay_url, &plan).await;
        let mut relay = relay_to(&system, &facts.url, &[("DATABASE_URL", &url)]);
        plan.has_happened().await;
        no_fact_is_pending(&system).await;
        Subscriber::new(&system, &facts.url).receives_everything().await;
        relay.kill().await.expect("killed");
    });
}

#[test]
fn a_writer_cut_off_from_postgresql_does_a_write_once_until_it_answers() {
    every_step(&CUTS, first, async |plan| {
        let system = TestSystem::new().await;
        let (_wire, url) = to_postgresql(&system.database.writer_url, &plan).await;
        let login = &system.database.writer_url;
        let mut writer = system.api_with("task-writer", login, &[("DATABASE_URL", &url)]).await;
        let created = send(&system, &writer, "/v1/tasks", "first", &json!({"title": "Milk"})).await;
        let id = created["id"].as_str().expect("an id");
        let path = format!("/v1/tasks/{id}/complete");
        let completed = send(&system, &writer, &path, "second", &Value::Null).await;
        assert_eq!((&completed["status"], &completed["version"]), (&json!("completed"), &json!(2)));
        plan.has_happened().await;
        let tasks = final_state::tasks(&system).await;
        assert_eq!(tasks.len(), 1);
        assert_eq!((tasks[0].id.to_string().as_str(), tasks[0].version), (id, 2));
        for table in ["SELECT count(*) FROM inbox", "SELECT count(*) FROM outbox"] {
            assert_eq!(system.count(table).await, 2, "{table}");
        }
        writer.function.kill().await.expect("killed");
    });
}

/// Asks until there is an answer, as a caller with an `Idempotency-Key` may.
async fn send(system: &TestSystem, writer: &Api, path: &str, key: &str, body: &Value) -> Value {
    eventually("the writer answers", async || {
        let request = system.client.post(format!("{}{path}", writer.url));
        let request = with_body(request, body);
        let request = request.bearer_auth(system.token("acme")).header("Idempotency-Key", key);
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        assert!([200, 201, 409, 503].contains(&status), "{status}");
        // PostgreSQL may not have seen yet that the connection broke: the first is still in flight.
        if status == 409 || status == 503 {
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            assert!(response.headers().contains_key("retry-after"));
            return None;
        }
        Some(response.json().await.expect("a task"))
    })
    .await
}
