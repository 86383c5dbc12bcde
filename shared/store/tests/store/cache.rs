//! What the cache keeps, and what happens without it.

use domain::{TaskId, TenantId};
use local_stack::{Redis, State};
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use secrecy::ExposeSecret as _;

use crate::fixture::{Fixture, create, delete, incoming, new_task, rename};

struct Cached {
    fixture: Fixture,
    redis: Redis,
    tenant: TenantId,
    task: TaskId,
    _state: tempfile::TempDir,
}

impl Cached {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let state = State::open(folder.path()).expect("a state folder");
        let redis = Redis::start(&state).await.expect("a Redis");
        let fixture = Fixture::with_redis(redis.url().expose_secret()).await;
        let tenant = "acme".parse().expect("a tenant");
        Self { fixture, redis, tenant, task: new_task(), _state: folder }
    }

    async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.redis.url().expose_secret()).expect("a URL");
        client.get_multiplexed_async_connection().await.expect("a connection")
    }

    fn key(&self) -> String {
        format!("task:v1:{}:{}", self.tenant, self.task)
    }

    /// Version and body of the entry.
    async fn entry(&self) -> (Option<i64>, Option<String>) {
        let fields = ["v", "b"];
        self.connection().await.hmget(self.key(), &fields).await.expect("an entry")
    }

    async fn read(&self) -> Option<String> {
        let body = self.fixture.reader.task(&self.tenant, self.task).await.expect("an answer");
        body.map(|body| String::from_utf8(body.json.to_vec()).expect("text"))
    }

    async fn apply(&self, id: &str, action: domain::Action) {
        self.fixture.apply(vec![incoming(id, self.task, action)]).await;
    }

    async fn forget(&self) {
        let _: () = self.connection().await.del(self.key()).await.expect("a deletion");
    }
}

#[tokio::test]
async fn a_write_goes_through_and_a_read_is_the_same_bytes_from_both() {
    let cached = Cached::new().await;
    cached.apply("1", create("Buy milk")).await;
    let (version, body) = cached.entry().await;
    assert_eq!(version, Some(1));
    assert_eq!(cached.read().await, body);
    cached.forget().await;
    assert_eq!(cached.read().await, body, "from PostgreSQL");
    assert_eq!(cached.entry().await, (Some(1), body), "the miss filled it");
}

#[tokio::test]
async fn a_lower_version_never_replaces_a_higher_one() {
    let cached = Cached::new().await;
    cached.apply("1", create("Buy milk")).await;
    let _: () = cached
        .connection()
        .await
        .hset_multiple(cached.key(), &[("v", "9"), ("b", "nine")])
        .await
        .expect("an entry");
    cached.apply("2", rename("Buy oat milk", None)).await;
    assert_eq!(cached.entry().await, (Some(9), Some("nine".to_owned())));
    assert_eq!(cached.read().await.as_deref(), Some("nine"));
}

#[tokio::test]
async fn a_deleted_task_leaves_a_tombstone_with_its_version() {
    let cached = Cached::new().await;
    cached.apply("1", create("Buy milk")).await;
    cached.apply("2", delete()).await;
    assert_eq!(cached.entry().await, (Some(2), Some(String::new())));
    assert_eq!(cached.read().await, None);
}

#[tokio::test]
async fn entries_expire() {
    let cached = Cached::new().await;
    cached.apply("1", create("Buy milk")).await;
    let left: i64 = cached.connection().await.ttl(cached.key()).await.expect("a time");
    assert!((1..=60).contains(&left), "{left} s");
}

#[tokio::test]
async fn without_redis_everything_works_and_with_it_again_too() {
    let mut cached = Cached::new().await;
    cached.apply("1", create("Buy milk")).await;
    cached.redis.stop().await.expect("stopped");
    cached.apply("2", rename("Buy oat milk", None)).await;
    assert!(cached.read().await.is_some_and(|body| body.contains("Buy oat milk")));

    cached.redis.restart().await.expect("restarted");
    for id in 3..200 {
        cached.apply(&id.to_string(), rename(&format!("Name {id}"), None)).await;
        if cached.entry().await.0.is_some() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the cache was never used again");
}
