//! The connection to Redis breaks at every command: nothing fails, and no read is older than the
//! final state once there is a relay.

use serde_json::json;
use uuid::Uuid;

use super::plan::Fault;
use super::world::{api, nothing_is_untold, relay_to, to_redis, worker};
use super::{any, every_step, final_state, first};
use crate::relay::facts_queue;
use crate::world::{Api, World, event};

const CUTS: [Fault; 2] = [Fault::Unheard, Fault::Unanswered];
/// So that no wrong copy goes by itself while a test waits.
const NO_EXPIRY: (&str, &str) = ("CACHE_TTL_SECONDS", "86400");
const NO_REDIS: (&str, &str) = ("REDIS_URL", "");
/// What this process keeps may be some milliseconds behind.
const NO_LOCAL: (&str, &str) = ("LOCAL_CACHE_ENTRIES", "0");

#[test]
fn a_worker_cut_off_from_redis_leaves_the_rest_to_the_relay() {
    every_step(&CUTS, any, async |plan| {
        let (world, subject) = (World::new().await, Uuid::now_v7().to_string());
        let (_wire, url) = to_redis(&world, &plan).await;
        let mut worker = worker(&world, &[("REDIS_URL", &url), NO_EXPIRY]);
        write_twice(&world, &subject).await;
        plan.has_happened().await;
        let facts = facts_queue(&world).await;
        let mut relay = relay_to(&world, &facts.url, &[NO_EXPIRY]);
        is_right(&world, &subject).await;
        relay.kill().await.expect("killed");
        worker.kill().await.expect("killed");
    });
}

#[test]
fn a_relay_cut_off_from_redis_repeats_what_redis_missed() {
    // It may publish both facts before it writes their task to the cache, once.
    every_step(&CUTS, first, async |plan| {
        let (world, subject) = (World::new().await, Uuid::now_v7().to_string());
        let mut reader = reader(&world, &[]).await;
        let (_wire, url) = to_redis(&world, &plan).await;
        let mut worker = worker(&world, &[NO_REDIS]);
        write_once(&world, &subject).await;
        let (status, _) = final_state::get_cached(&world, &reader, &path(&subject)).await;
        assert_eq!(status, 200, "and so an old copy is in the cache");
        complete(&world, &subject).await;
        let facts = facts_queue(&world).await;
        let mut relay = relay_to(&world, &facts.url, &[("REDIS_URL", url.as_str()), NO_EXPIRY]);
        plan.has_happened().await;
        is_right(&world, &subject).await;
        relay.kill().await.expect("killed");
        worker.kill().await.expect("killed");
        reader.function.kill().await.expect("killed");
    });
}

#[test]
fn a_reader_cut_off_from_redis_answers_and_never_goes_back() {
    every_step(&CUTS, any, async |plan| {
        let (world, subject) = (World::new().await, Uuid::now_v7().to_string());
        let (_wire, url) = to_redis(&world, &plan).await;
        let mut reader = reader(&world, &[("REDIS_URL", url.as_str())]).await;
        let mut worker = worker(&world, &[NO_EXPIRY]);
        write_once(&world, &subject).await;
        let version = async || {
            let (status, task) = final_state::get_cached(&world, &reader, &path(&subject)).await;
            assert_eq!(status, 200, "{task}");
            task["version"].as_i64()
        };
        assert_eq!(version().await, Some(1));
        complete(&world, &subject).await;
        for _ in 0..3 {
            assert_eq!(version().await, Some(2), "the worker wrote it through");
        }
        plan.has_happened().await;
        worker.kill().await.expect("killed");
        reader.function.kill().await.expect("killed");
    });
}

async fn reader(world: &World, settings: &[(&str, &str)]) -> Api {
    let settings = [settings, &[NO_EXPIRY, NO_LOCAL]].concat();
    api(world, "task-reader", &world.database.reader_url, &settings).await
}

async fn write_once(world: &World, subject: &str) {
    let create = event("1", "create-task", subject, &json!({"title": "Milk"}));
    world.send(&[(subject.to_owned(), create)]).await;
    world.processed(1).await;
    final_state::is_empty(world, &world.queue, 0).await;
}

async fn complete(world: &World, subject: &str) {
    let complete = event("2", "complete-task", subject, &json!({}));
    world.send(&[(subject.to_owned(), complete)]).await;
    world.processed(2).await;
    final_state::is_empty(world, &world.queue, 0).await;
}

async fn write_twice(world: &World, subject: &str) {
    write_once(world, subject).await;
    complete(world, subject).await;
}

/// Fails unless the final version is served once every fact is published.
async fn is_right(world: &World, subject: &str) {
    nothing_is_untold(world).await;
    let mut reader = reader(world, &[]).await;
    let (status, task) = final_state::get_cached(world, &reader, &path(subject)).await;
    assert_eq!((status, &task["version"], &task["status"]), (200, &json!(2), &json!("completed")));
    reader.function.kill().await.expect("killed");
}

fn path(subject: &str) -> String {
    format!("/v1/tasks/{subject}")
}
