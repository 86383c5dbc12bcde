//! The connection to Redis breaks at every command: nothing fails, and no read is older than the
//! final state once there is a relay.

use serde_json::json;
use uuid::Uuid;

use super::plan::Fault;
use super::systems::{no_fact_is_pending, relay_to, to_redis, worker};
use super::{any, every_step, final_state, first};
use crate::relay::facts_queue;
use crate::support::system::{Api, TestSystem, event};

const CUTS: [Fault; 2] = [Fault::Unheard, Fault::Unanswered];
/// So that no wrong copy goes by itself while a test waits.
const NO_EXPIRY: (&str, &str) = ("CACHE_TTL_SECONDS", "86400");
const NO_REDIS: (&str, &str) = ("REDIS_URL", "");
/// What this process keeps may be some milliseconds behind.
const NO_LOCAL: (&str, &str) = ("LOCAL_CACHE_ENTRIES", "0");

#[test]
fn a_worker_cut_off_from_redis_leaves_the_rest_to_the_relay() {
    every_step(&CUTS, any, async |plan| {
        let (system, subject) = (TestSystem::new().await, Uuid::now_v7().to_string());
        let (_wire, url) = to_redis(&system, &plan).await;
        let mut worker = worker(&system, &[("REDIS_URL", &url), NO_EXPIRY]);
        write_twice(&system, &subject).await;
        plan.has_happened().await;
        let facts = facts_queue(&system).await;
        let mut relay = relay_to(&system, &facts.url, &[NO_EXPIRY]);
        is_right(&system, &subject).await;
        relay.kill().await.expect("killed");
        worker.kill().await.expect("killed");
    });
}

#[test]
fn a_relay_cut_off_from_redis_repeats_what_redis_missed() {
    // It may publish both facts before it writes their task to the cache, once.
    every_step(&CUTS, first, async |plan| {
        let (system, subject) = (TestSystem::new().await, Uuid::now_v7().to_string());
        let mut reader = reader(&system, &[]).await;
        let (_wire, url) = to_redis(&system, &plan).await;
        let mut worker = worker(&system, &[NO_REDIS]);
        write_once(&system, &subject).await;
        let (status, _) = final_state::get_cached(&system, &reader, &path(&subject)).await;
        assert_eq!(status, 200, "and so an old copy is in the cache");
        complete(&system, &subject).await;
        let facts = facts_queue(&system).await;
        let mut relay = relay_to(&system, &facts.url, &[("REDIS_URL", url.as_str()), NO_EXPIRY]);
        plan.has_happened().await;
        is_right(&system, &subject).await;
        relay.kill().await.expect("killed");
        worker.kill().await.expect("killed");
        reader.function.kill().await.expect("killed");
    });
}

#[test]
fn a_reader_cut_off_from_redis_answers_and_never_goes_back() {
    every_step(&CUTS, any, async |plan| {
        let (system, subject) = (TestSystem::new().await, Uuid::now_v7().to_string());
        let (_wire, url) = to_redis(&system, &plan).await;
        let mut reader = reader(&system, &[("REDIS_URL", url.as_str())]).await;
        let mut worker = worker(&system, &[NO_EXPIRY]);
        write_once(&system, &subject).await;
        let version = async || {
            let (status, task) = final_state::get_cached(&system, &reader, &path(&subject)).await;
            assert_eq!(status, 200, "{task}");
            task["version"].as_i64()
        };
        assert_eq!(version().await, Some(1));
        complete(&system, &subject).await;
        for _ in 0..3 {
            assert_eq!(version().await, Some(2), "the worker wrote it through");
        }
        plan.has_happened().await;
        worker.kill().await.expect("killed");
        reader.function.kill().await.expect("killed");
    });
}

async fn reader(system: &TestSystem, settings: &[(&str, &str)]) -> Api {
    let settings = [settings, &[NO_EXPIRY, NO_LOCAL]].concat();
    system.api_with("task-reader", &system.database.reader_url, &settings).await
}

async fn write_once(system: &TestSystem, subject: &str) {
    let create = event("1", "create-task", subject, &json!({"title": "Milk"}));
    system.send(&[(subject.to_owned(), create)]).await;
    system.processed(1).await;
    final_state::is_empty(system, &system.queue, 0).await;
}

async fn complete(system: &TestSystem, subject: &str) {
    let complete = event("2", "complete-task", subject, &json!({}));
    system.send(&[(subject.to_owned(), complete)]).await;
    system.processed(2).await;
    final_state::is_empty(system, &system.queue, 0).await;
}

async fn write_twice(system: &TestSystem, subject: &str) {
    write_once(system, subject).await;
    complete(system, subject).await;
}

/// Fails unless the final version is served once every fact is published.
async fn is_right(system: &TestSystem, subject: &str) {
    no_fact_is_pending(system).await;
    let mut reader = reader(system, &[]).await;
    let (status, task) = final_state::get_cached(system, &reader, &path(subject)).await;
    assert_eq!((status, &task["version"], &task["status"]), (200, &json!(2), &json!("completed")));
    reader.function.kill().await.expect("killed");
}

fn path(subject: &str) -> String {
    format!("/v1/tasks/{subject}")
}
