//! What a pod keeps in its own memory, and that it is right again soon, whatever becomes of Redis.

mod cluster;
mod faults;

use local_stack::Server;
use nix::sys::signal::Signal;
use redis::RedisResult;
use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::relay::{facts_queue, relay};
use crate::support::private_servers;
use crate::support::system::{Api, TestSystem, event, eventually};

/// A task that is written over HTTP and over the queue, and a pod that reads it.
struct Fixture {
    system: TestSystem,
    reader: Api,
    writer: Api,
    task: String,
    version: i64,
}

impl Fixture {
    async fn new(redis: &SecretString) -> Self {
        let system = TestSystem::with_redis(redis).await;
        let (reader, writer) = (system.reader().await, system.writer().await);
        let mut fixture =
            Self { system, reader, writer, task: Uuid::now_v7().to_string(), version: 1 };
        let created = fixture.write(Method::POST, "", &json!({"title": "Milk"})).await;
        created["id"].as_str().expect("an id").clone_into(&mut fixture.task);
        fixture
    }

    async fn write(&self, method: Method, task: &str, body: &Value) -> Value {
        let url = format!("{}/v1/tasks{task}", self.writer.url);
        let request =
            self.system.client.request(method, url).bearer_auth(self.system.token("acme"));
        let response = request.json(body).send().await.expect("an answer");
        assert!(response.status().is_success(), "{response:?}");
        response.json().await.expect("JSON")
    }

    /// Writes the next version, and returns once that was answered.
    async fn rename(&mut self) {
        self.version += 1;
        let title = json!({"title": format!("Name {}", self.version)});
        let task = self.write(Method::PATCH, &format!("/{}", self.task), &title).await;
        assert_eq!(task["version"], self.version);
    }

    /// The version that is read, and the cache that the log says it came from.
    async fn read(&self, cache_control: &str) -> (i64, String) {
        let id = Uuid::new_v4().to_string();
        let url = format!("{}/v1/tasks/{}", self.reader.url, self.task);
        let request = self.system.client.get(url).bearer_auth(self.system.token("acme"));
        let request = request.header("cache-control", cache_control).header("x-request-id", &id);
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        let task: Value = response.json().await.expect("JSON");
        let line = self.system.logged("task-reader", |line| line["request_id"] == id).await;
        (
            task["version"].as_i64().expect("a version"),
            line["cache"].as_str().expect("a cache").to_owned(),
        )
    }

    /// Waits until the last version is read and comes from `cache`; what is read never goes back.
    async fn is_read_from(&self, cache: &str) {
        let mut newest = self.version - 1;
        eventually("the last version is read from there", async || {
            let (version, from) = self.read("max-age=60").await;
            assert!(version >= newest, "version {version} after {newest}");
            newest = version;
            (version == self.version && from == cache).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_copy_is_served_until_the_task_changes_and_no_cache_gets_the_present_at_once() {
    let (_folder, redis) = private_servers::redis().await;
    let mut fixture = Fixture::new(redis.url()).await;
    fixture.is_read_from("local").await;
    for _ in 0..5 {
        fixture.rename().await;
        assert_eq!(fixture.read("no-cache").await, (fixture.version, "database".to_owned()));
        fixture.is_read_from("local").await;
    }
    let mut worker = fixture.system.worker().await;
    let complete = event("complete", "complete-task", &fixture.task, &json!({}));
    fixture.system.send(&[(fixture.task.clone(), complete)]).await;
    fixture.version += 1;
    fixture.is_read_from("local").await;
    worker.stop().await.expect("drained");
    let metrics = fixture.system.client.get(fixture.reader.function.health_url("metrics"));
    let metrics = metrics.send().await.expect("an answer").text().await.expect("text");
    for source in ["local", "redis", "database"] {
        assert!(
            metrics.contains(&format!("cache_reads_total{{source=\"{source}\"}}")),
            "{metrics}"
        );
    }
}

#[tokio::test]
async fn a_pod_that_is_cut_off_from_changes_is_right_again_soon() {
    let (_folder, redis) = private_servers::redis().await;
    let mut fixture = Fixture::new(redis.url()).await;
    for _ in 0..3 {
        fixture.is_read_from("local").await;
        cut_off(&redis).await.expect("cut off");
        fixture.rename().await;
        fixture.is_read_from("local").await;
    }
}

/// Ends the connection of the invalidation listener.
async fn cut_off(redis: &Server) -> RedisResult<()> {
    let client = redis::Client::open(redis.url().expose_secret())?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let list: String = redis::cmd("CLIENT").arg("LIST").query_async(&mut connection).await?;
    let follower = list.lines().find(|line| line.contains("flags=tB")).expect("a follower");
    let id = follower.strip_prefix("id=").and_then(|rest| rest.split(' ').next()).expect("an id");
    redis::cmd("CLIENT").arg(&["KILL", "ID", id]).exec_async(&mut connection).await
}

#[tokio::test]
async fn a_redis_that_hangs_or_is_restarted_is_believed_no_longer_and_then_again() {
    let (_folder, mut redis) = private_servers::redis().await;
    let mut fixture = Fixture::new(redis.url()).await;
    // It repeats what Redis missed.
    let facts = facts_queue(&fixture.system).await;
    let mut relay = relay(&fixture.system, "relay", &[&facts.url]).await;
    fixture.is_read_from("local").await;
    redis.process().signal(Signal::SIGSTOP).expect("stopped");
    fixture.rename().await;
    fixture.is_read_from("database").await;
    redis.kill().await.expect("killed");
    fixture.rename().await;
    fixture.is_read_from("database").await;
    redis.restart().await.expect("restarted");
    fixture.is_read_from("local").await;
    fixture.rename().await;
    fixture.is_read_from("local").await;
    relay.stop().await.expect("drained");
}
