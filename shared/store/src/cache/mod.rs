//! Copies of tasks in Redis, as the bytes that are sent.
//!
//! An entry is a hash of version `v` and body `b`; a deleted task has no body (a tombstone, so
//! that a slow reader cannot bring it back), and neither has one that never was, whose version is 0.
//! Entries never go backwards: whoever fills one, a writer after its commit or a reader after a miss,
//! a lower version never replaces a higher one.
//!
//! Redis may fail at any time: then PostgreSQL is asked, and what was not put is repeated by the
//! relay.

mod follower;
mod local;
mod pages;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use domain::{Task, TaskId, TenantId, Version};
use redis::Pipeline;

pub use self::follower::Follower;
pub(crate) use self::local::{Answer, Filled, Local};
use crate::config::Config;
use crate::read::{TaskBody, body};
use crate::redis::Redis;

/// Puts ARGV[1], ARGV[2] (version, body) under KEYS[1] for ARGV[3] ms unless a later version is there.
const PUT: &str = r"
local held = redis.call('HGET', KEYS[1], 'v')
if held and tonumber(held) >= tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'v', ARGV[1], 'b', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1";

/// How long it is remembered that a task does not exist: a made-up identifier is asked for again at
/// once or never.
const ABSENCE_TTL: Duration = Duration::from_secs(5);

/// The version of a task that does not exist: any write comes after it.
const NO_VERSION: Version = 0;

/// Every key of a task begins with it. Its `v1` is the format of the entry: another format needs
/// another.
const TASK_KEYS: &str = "task:v1:";

/// What the cache says of a task.
#[derive(Debug)]
pub(crate) struct Held {
    /// `None`: there is none, or it was deleted.
    pub(crate) task: Option<TaskBody>,
    /// For how long the cache will say so.
    pub(crate) ttl: Option<Duration>,
}

/// A cache; without a Redis it holds nothing.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    redis: Option<Redis>,
    ttl: Duration,
}

type Fields = (Option<Version>, Option<Vec<u8>>);

impl Cache {
    pub(crate) fn new(config: &Config, redis: Option<Redis>) -> Self {
        Self { redis, ttl: config.cache_ttl() }
    }

    /// What the cache says of the task; `None` if nothing.
    pub(crate) async fn get(&self, tenant: &TenantId, id: TaskId) -> Option<Held> {
        let key = key(tenant, id);
        let mut pipe = redis::pipe();
        pipe.hmget(&key, &["v", "b"]).pttl(&key);
        let redis = self.redis.as_ref()?;
        let (fields, ttl): (Fields, i64) =
            redis.run(async |connection| pipe.query_async(connection).await).await?;
        let (Some(version), Some(json)) = fields else { return None };
        let json = Bytes::from(json);
        let task = (!json.is_empty()).then_some(TaskBody { version, json });
        // Without an end it is not ours.
        Some(Held { task, ttl: u64::try_from(ttl).ok().map(Duration::from_millis) })
    }

    /// Whether a Redis is configured.
    pub(crate) fn is_configured(&self) -> bool {
        self.redis.is_some()
    }

    /// How long an entry stays.
    pub(crate) fn ttl(&self) -> Duration {
        self.redis.as_ref().map_or(Duration::ZERO, |_| self.ttl)
    }

    /// Puts the tasks, each unless a later version of it is there, in one round trip. Returns
    /// whether Redis took them; without one, there is nothing to take.
    pub(crate) async fn write_through(&self, tasks: impl IntoIterator<Item = &Task>) -> bool {
        let Some(redis) = &self.redis else { return true };
        let mut latest: BTreeMap<_, &Task> = BTreeMap::new();
        for task in tasks {
            latest.insert((&task.tenant, task.id), task);
        }
        if latest.is_empty() {
            return true;
        }
        let mut pipe = redis::pipe();
        for tenant in latest.keys().map(|(tenant, _)| *tenant).collect::<BTreeSet<_>>() {
            pages::advance(&mut pipe, tenant).ignore();
        }
        for ((tenant, id), task) in latest {
            let Ok(body) = body(task) else { continue };
            let json = body.map_or_else(Bytes::new, |body| body.json);
            put(&mut pipe, &key(tenant, id), task.version, &json, self.ttl);
        }
        redis.run::<()>(async |connection| pipe.query_async(connection).await).await.is_some()
    }

    /// Remembers for a while that there is no such task, unless one is there: it may have been created
    /// since PostgreSQL was asked.
    pub(crate) async fn put_absence(&self, tenant: &TenantId, id: TaskId) {
        let Some(redis) = &self.redis else { return };
        let mut pipe = redis::pipe();
        put(&mut pipe, &key(tenant, id), NO_VERSION, &[], ABSENCE_TTL.min(self.ttl));
        let _ = redis.run::<()>(async |connection| pipe.query_async(connection).await).await;
    }
}

fn put(pipe: &mut Pipeline, key: &str, version: Version, json: &[u8], ttl: Duration) {
    pipe.cmd("EVAL").arg(PUT).arg(1).arg(key).arg(version).arg(json).arg(millis(ttl)).ignore();
}

pub(crate) fn key(tenant: &TenantId, id: TaskId) -> String {
    format!("{TASK_KEYS}{tenant}:{id}")
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)
}
