//! Copies of tasks in Redis, as the bytes that are sent.
//!
//! An entry is a hash of version `v` and body `b`; a deleted task has no body (a tombstone, so
//! that a slow reader cannot bring it back). Entries never go backwards: whoever fills one, a
//! writer after its commit or a reader after a miss, a lower version never replaces a higher one.
//!
//! Redis may fail at any time. A failure is counted, costs at most the configured timeout, and
//! then Redis is left alone for a moment, so that not every request pays for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use domain::{Task, TaskId, TenantId, Version};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisResult};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use crate::config::Config;
use crate::read::{TaskBody, body};

/// How long Redis is left alone after it failed.
const REST: Duration = Duration::from_secs(1);

/// Puts ARGV[1], ARGV[2] (version, body) under KEYS[1] for ARGV[3] ms unless a later version is there.
const PUT: &str = r"
local held = redis.call('HGET', KEYS[1], 'v')
if held and tonumber(held) >= tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'v', ARGV[1], 'b', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1";

/// What the cache says of a task.
#[derive(Debug)]
pub(crate) enum Cached {
    /// This.
    Task(TaskBody),
    /// That it was deleted.
    Deleted,
    /// Nothing: ask PostgreSQL.
    Unknown,
}

/// A cache, or none when no Redis is configured.
#[derive(Clone, Debug)]
pub(crate) struct Cache(Option<Redis>);

#[derive(Clone)]
struct Redis {
    connection: ConnectionManager,
    timeout: Duration,
    ttl: Duration,
    resting_until: Arc<Mutex<Option<Instant>>>,
}

impl Cache {
    /// Connects when first used.
    pub(crate) fn connect(config: &Config) -> anyhow::Result<Self> {
        let url = config.redis_url.as_ref().filter(|url| !url.expose_secret().is_empty());
        let Some(url) = url else { return Ok(Self(None)) };
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(config.redis_timeout()))
            .set_response_timeout(Some(config.redis_timeout()))
            .set_number_of_retries(1);
        let connection = Client::open(url.expose_secret())
            .and_then(|client| ConnectionManager::new_lazy_with_config(client, settings))
            .ok()
            .context("REDIS_URL: expected redis://host:port or rediss://host:port")?;
        Ok(Self(Some(Redis {
            connection,
            timeout: config.redis_timeout(),
            ttl: config.cache_ttl(),
            resting_until: Arc::default(),
        })))
    }

    pub(crate) async fn get(&self, tenant: &TenantId, id: TaskId) -> Cached {
        let Some(redis) = &self.0 else { return Cached::Unknown };
        let mut command = redis::cmd("HMGET");
        command.arg(key(tenant, id)).arg("v").arg("b");
        let entry: Option<(Option<Version>, Option<Vec<u8>>)> =
            redis.run(async |connection| command.query_async(connection).await).await;
        let cached = match entry {
            Some((Some(_), Some(json))) if json.is_empty() => Cached::Deleted,
            Some((Some(version), Some(json))) => {
                Cached::Task(TaskBody { version, json: Bytes::from(json) })
            }
            _ => Cached::Unknown,
        };
        let result = if matches!(cached, Cached::Unknown) { "miss" } else { "hit" };
        metrics::counter!("cache_reads_total", "result" => result).increment(1);
        cached
    }

    /// Whether a Redis is configured.
    pub(crate) fn is_configured(&self) -> bool {
        self.0.is_some()
    }

    /// How long an entry stays.
    pub(crate) fn ttl(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |redis| redis.ttl)
    }

    /// Puts the tasks, each unless a later version of it is there, in one round trip. Returns
    /// whether Redis took them; without one, there is nothing to take.
    pub(crate) async fn write_through(&self, tasks: impl IntoIterator<Item = &Task>) -> bool {
        let Some(redis) = &self.0 else { return true };
        let mut latest: BTreeMap<_, &Task> = BTreeMap::new();
        for task in tasks {
            latest.insert((&task.tenant, task.id), task);
        }
        if latest.is_empty() {
            return true;
        }
        let mut pipe = redis::pipe();
        for ((tenant, id), task) in latest {
            let Ok(body) = body(task) else { continue };
            pipe.cmd("EVAL").arg(PUT).arg(1).arg(key(tenant, id)).arg(task.version);
            pipe.arg(body.map_or_else(Bytes::new, |body| body.json).as_ref());
            pipe.arg(u64::try_from(redis.ttl.as_millis()).unwrap_or(u64::MAX)).ignore();
        }
        redis.run::<()>(async |connection| pipe.query_async(connection).await).await.is_some()
    }
}

impl Redis {
    /// Runs `request` unless Redis rests; `None` when there is no answer.
    async fn run<T>(
        &self,
        request: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>,
    ) -> Option<T> {
        if self.resting_until().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        // The client's own timeouts do not count the wait for a connection.
        let answer = timeout(self.timeout, request(&mut self.connection.clone())).await;
        let cause = match answer {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => format!("{:?}", error.kind()),
            Err(_) => "no answer in time".to_owned(),
        };
        metrics::counter!("cache_errors_total").increment(1);
        tracing::warn!(cause, "Redis failed; doing without it for a moment");
        *self.resting_until.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Instant::now() + REST);
        None
    }

    fn resting_until(&self) -> Option<Instant> {
        *self.resting_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

/// The key of a task. Its `v1` is the format of the entry: another format needs another.
fn key(tenant: &TenantId, id: TaskId) -> String {
    format!("task:v1:{tenant}:{id}")
}
