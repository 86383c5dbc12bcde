//! A store with a Redis of its own, and a task in both.

use domain::{TaskId, TenantId};
use local_stack::{Redis, State};
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use secrecy::ExposeSecret as _;
use store::{Freshness, Source};

use crate::fixture::{Fixture, incoming, new_task};

pub(crate) struct Cached {
    pub(crate) fixture: Fixture,
    pub(crate) redis: Redis,
    pub(crate) tenant: TenantId,
    pub(crate) task: TaskId,
    _state: tempfile::TempDir,
}

impl Cached {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let state = State::open(folder.path()).expect("a state folder");
        let redis = Redis::start(&state).await.expect("a Redis");
        let fixture = Fixture::with_redis(redis.url().expose_secret()).await;
        let tenant = "acme".parse().expect("a tenant");
        Self { fixture, redis, tenant, task: new_task(), _state: folder }
    }

    pub(crate) async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.redis.url().expose_secret()).expect("a URL");
        client.get_multiplexed_async_connection().await.expect("a connection")
    }

    pub(crate) fn key(&self) -> String {
        format!("task:v1:{}:{}", self.tenant, self.task)
    }

    /// Version and body of the entry.
    pub(crate) async fn entry(&self) -> (Option<i64>, Option<String>) {
        let fields = ["v", "b"];
        self.connection().await.hmget(self.key(), &fields).await.expect("an entry")
    }

    pub(crate) async fn read(&self) -> Option<String> {
        let body = self.fixture.reader.task(&self.tenant, self.task).await.expect("an answer");
        body.map(|body| String::from_utf8(body.json.to_vec()).expect("text"))
    }

    pub(crate) async fn apply(&self, id: &str, action: domain::Action) {
        self.fixture.apply(vec![incoming(id, self.task, action)]).await;
    }

    pub(crate) async fn forget(&self) {
        let _: () = self.connection().await.del(self.key()).await.expect("a deletion");
    }

    /// Puts an entry there, as somebody else would.
    pub(crate) async fn put(&self, version: i64, body: &str) {
        let fields = [("v", version.to_string()), ("b", body.to_owned())];
        let mut connection = self.connection().await;
        let _: () = connection.hset_multiple(self.key(), &fields).await.expect("an entry");
    }

    /// What a reader gets that bears a recent answer: the version, and where it came from.
    pub(crate) async fn recent(&self) -> (Option<i64>, Source) {
        let found = self.fixture.reader.read(&self.tenant, self.task, Freshness::Recent).await;
        let (task, source) = found.expect("an answer");
        (task.map(|task| task.version), source)
    }
}
