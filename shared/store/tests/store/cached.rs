//! A store with a Redis of its own, and a task in both.

use std::time::{Duration, SystemTime};

use clap::Parser;
use domain::{TaskId, TenantId};
use local_stack::{Server, State};
use rate_limits::RateLimits;
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use secrecy::ExposeSecret as _;
use store::{Freshness, Source};
use tempfile::TempDir;

use crate::fixture::{Fixture, at_once, connect_once, incoming, new_task, now};

/// A Redis of the test's own, and its folder, which must outlive it. All have the same password.
pub(crate) async fn redis() -> (Server, TempDir) {
    let (state, folder) = state();
    (Server::redis(&state).await.expect("a Redis"), folder)
}

/// Where a Redis may start.
pub(crate) fn state() -> (State, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let state = State::open(folder.path()).expect("a state folder");
    state.secret_bytes("redis", || Ok(b"of-tests".to_vec())).expect("a password");
    (state, folder)
}

/// Limits that are counted in the Redis of that URL.
pub(crate) fn limits_by(url: &str, settings: &[&str]) -> RateLimits {
    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        redis: redis_client::Config,
        #[command(flatten)]
        limits: rate_limits::Config,
    }
    let settings = [&["test", "--redis-url", url], settings].concat();
    let Settings { redis, limits } = Settings::parse_from(settings);
    RateLimits::new(at_once(redis_client::Redis::connect(&redis)).as_ref(), &limits)
}

pub(crate) struct Cached {
    pub(crate) fixture: Fixture,
    pub(crate) redis: Server,
    pub(crate) tenant: TenantId,
    pub(crate) task: TaskId,
    _state: TempDir,
}

impl Cached {
    /// With patience: a machine that is busy with other tests is slow.
    pub(crate) async fn new() -> Self {
        Self::with(&["--redis-timeout-ms=1000"]).await
    }

    /// With further settings of its stores.
    pub(crate) async fn with(settings: &[&str]) -> Self {
        let (redis, folder) = redis().await;
        let url = redis.url().expose_secret().to_owned();
        Self::by(redis, folder, &url, settings).await
    }

    /// With stores that know Redis by that URL.
    pub(crate) async fn by(redis: Server, folder: TempDir, url: &str, settings: &[&str]) -> Self {
        let fixture = Fixture::with_settings(url, settings).await;
        let tenant = "acme".parse().expect("a tenant");
        Self { fixture, redis, tenant, task: new_task(), _state: folder }
    }

    pub(crate) async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.redis.url().expose_secret()).expect("a URL");
        client.get_multiplexed_async_connection().await.expect("a connection")
    }

    pub(crate) fn key(&self) -> String {
        format!("task:v2:{{{}}}:{}", self.tenant, self.task)
    }

    /// Version and body of the entry.
    pub(crate) async fn entry(&self) -> (Option<i64>, Option<String>) {
        let fields = ["v", "b"];
        self.connection().await.hmget(self.key(), &fields).await.expect("an entry")
    }

    pub(crate) async fn read(&self) -> Option<String> {
        let read = self.fixture.reader.read(&self.tenant, self.task, Freshness::Recent).await;
        read.expect("an answer").0.map(|body| String::from_utf8(body.json.to_vec()).expect("text"))
    }

    pub(crate) async fn apply(&self, id: &str, action: domain::Action) {
        self.fixture.apply(vec![incoming(id, self.task, action)]).await;
    }

    /// The same, and Redis misses it.
    pub(crate) async fn miss(&self, id: &str, action: domain::Action) {
        let writer = connect_once(self.fixture.database.writer_url.expose_secret());
        let batch = vec![incoming(id, self.task, action)];
        writer.apply(batch, now()).await.expect("an applied batch");
    }

    pub(crate) async fn evict(&self) {
        let _: () = self.connection().await.del(self.key()).await.expect("a deletion");
    }

    /// Puts an entry there, as somebody else would.
    pub(crate) async fn put(&self, version: i64, body: &str) {
        let as_of = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time");
        self.put_of(version, body, as_of).await;
    }

    /// The same, for which PostgreSQL was read so long after 1970.
    pub(crate) async fn put_of(&self, version: i64, body: &str, as_of: Duration) {
        let (version, as_of) = (version.to_string(), as_of.as_millis().to_string());
        let fields = [("v", version), ("b", body.to_owned()), ("t", as_of)];
        let mut connection = self.connection().await;
        let _: () = connection.hset_multiple(self.key(), &fields).await.expect("an entry");
    }

    /// What a reader gets that accepts a recent answer: the version, and where it came from.
    pub(crate) async fn recent(&self) -> (Option<i64>, Source) {
        let found = self.fixture.reader.read(&self.tenant, self.task, Freshness::Recent).await;
        let (task, source) = found.expect("an answer");
        (task.map(|task| task.version), source)
    }
}
