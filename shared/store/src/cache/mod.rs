//! Copies of tasks in Redis, as the bytes that are sent.
//!
//! An entry has a version and a body; a deleted task has no body (a tombstone, so that a slow reader
//! cannot bring it back), and neither has one that never was, whose version is 0. Entries never go
//! backwards: whoever fills one, a writer after its commit or a reader after a miss, a lower version
//! never replaces a higher one. And none is used for longer than the TTL after PostgreSQL was read
//! ([`AsOf`]): whatever Redis missed, lost or did late, no read is older than that.
//!
//! Redis may fail at any time: then PostgreSQL answers, and what was not put is repeated by the
//! relay.

mod answer;
mod as_of;
mod invalidation_listener;
mod local;
mod pages;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use domain::{Task, TaskId, TenantId, Version};
use futures::future::join_all;
use redis::Cmd;
use redis_client::Redis;
use sqlx::types::Uuid;

pub(crate) use self::answer::{Counters, body};
pub use self::answer::{Source, TaskBody};
pub(crate) use self::as_of::AsOf;
pub use self::invalidation_listener::InvalidationListener;
pub(crate) use self::local::{Answer, Filled, Local};
use crate::config::Config;

/// The script says what it does.
const PUT: &str = include_str!("put.lua");

/// How long it is cached that a task does not exist: a made-up identifier is read again at
/// once or never.
const ABSENCE_TTL: Duration = Duration::from_secs(5);

/// The version of a task that does not exist: any write comes after it.
const NO_VERSION: Version = 0;

/// Every key of a task begins with it. Its `v2` is the format of the entry: another format needs
/// another.
const TASK_KEYS: &str = "task:v2:";

/// What the cache says of a task.
#[derive(Debug)]
pub(crate) struct CachedTask {
    /// `None`: there is none, or it was deleted.
    pub(crate) task: Option<TaskBody>,
    /// For how much longer it may be used.
    pub(crate) ttl: Duration,
}

/// How a task came to be put into the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was changed, and Redis may have missed it: older list pages are invalid.
    Changed,
    /// It was merely read.
    Read,
}

/// A cache; without a Redis it holds nothing.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    redis: Option<Redis>,
    ttl: Duration,
}

type Fields = (Option<Version>, Option<Vec<u8>>, Option<u64>);

impl Cache {
    pub(crate) fn new(config: &Config, redis: Option<Redis>) -> Self {
        Self { redis, ttl: config.cache_ttl() }
    }

    /// What the cache says of the task, if it is no older than `limit`; `None` if nothing.
    pub(crate) async fn get(
        &self,
        tenant: &TenantId,
        id: TaskId,
        limit: Duration,
    ) -> Option<CachedTask> {
        let redis = self.redis.as_ref()?;
        let command = Cmd::hmget(key(tenant, id), &["v", "b", "t"]);
        let (version, json, as_of): Fields = redis.run(tenant.as_str(), command).await?;
        let ttl = AsOf::from_millis(as_of?).left(limit.min(self.ttl), AsOf::now())?;
        let (version, json) = (version?, Bytes::from(json?));
        Some(CachedTask { task: (!json.is_empty()).then_some(TaskBody { version, json }), ttl })
    }

    /// Whether a Redis is configured.
    pub(crate) fn is_configured(&self) -> bool {
        self.redis.is_some()
    }

    /// How long an entry stays.
    pub(crate) fn ttl(&self) -> Duration {
        self.redis.as_ref().map_or(Duration::ZERO, |_| self.ttl)
    }

    /// Puts the tasks, each unless a later version of it is there, in one round trip; of a task that
    /// is named several times, the last. PostgreSQL was read `as_of` then. Returns whether Redis took
    /// them; without one, there is nothing to take.
    pub(crate) async fn put<'a>(
        &self,
        tasks: impl IntoIterator<Item = (Origin, &'a Task)>,
        as_of: AsOf,
    ) -> bool {
        let Some(redis) = &self.redis else { return true };
        let mut tenants: BTreeMap<&TenantId, BTreeMap<TaskId, (Origin, &Task)>> = BTreeMap::new();
        for (origin, task) in tasks {
            tenants.entry(&task.tenant).or_default().insert(task.id, (origin, task));
        }
        let mut puts = Vec::new();
        for (tenant, tasks) in tenants {
            let entries = tasks.into_iter().filter_map(|(id, (origin, task))| {
                let json = body(task).ok()?.map_or_else(Bytes::new, |body| body.json);
                Some(Entry { id, version: task.version, json, origin })
            });
            puts.push(redis.run(tenant.as_str(), put(tenant, entries.collect(), as_of, self.ttl)));
        }
        let done: Vec<Option<()>> = join_all(puts).await;
        done.iter().all(Option::is_some)
    }

    /// Caches for a while that there is no such task, unless one is there: it may have been created
    /// since PostgreSQL was read.
    pub(crate) async fn put_absence(&self, tenant: &TenantId, id: TaskId, as_of: AsOf) {
        let Some(redis) = &self.redis else { return };
        let none = Entry { id, version: NO_VERSION, json: Bytes::new(), origin: Origin::Read };
        let command = put(tenant, vec![none], as_of, ABSENCE_TTL.min(self.ttl));
        let _: Option<()> = redis.run(tenant.as_str(), command).await;
    }
}

struct Entry {
    id: TaskId,
    version: Version,
    json: Bytes,
    origin: Origin,
}

fn put(tenant: &TenantId, entries: Vec<Entry>, as_of: AsOf, ttl: Duration) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(PUT).arg(entries.len() + 1).arg(pages::generation_key(tenant));
    for entry in &entries {
        command.arg(key(tenant, entry.id));
    }
    command.arg(millis(ttl)).arg(as_of.as_millis());
    command.arg(Uuid::new_v4().to_string()).arg(pages::GENERATION_MS);
    for Entry { version, json, origin, .. } in entries {
        command.arg(version).arg(&*json).arg(u8::from(origin == Origin::Changed));
    }
    command
}

pub(crate) fn key(tenant: &TenantId, id: TaskId) -> String {
    let mut id_text = Uuid::encode_buffer();
    let id = id.as_uuid().hyphenated().encode_lower(&mut id_text);
    [TASK_KEYS, "{", tenant.as_str(), "}:", id].concat()
}

fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)
}
