//! What a read answers, and where that came from.

use bytes::Bytes;
use domain::{Task, Version};
use metrics::{Counter, counter};

use crate::error::unwritable;
use crate::instruments::CACHE_READS;

/// A task as its JSON, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskBody {
    /// The task's version: the same version has the same bytes.
    pub version: Version,
    /// The task as JSON. Clones share it.
    pub json: Bytes,
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From this process, or from what another request was loading at the time.
    Local,
    /// From Redis.
    Redis,
    /// From PostgreSQL.
    Database,
}

impl Source {
    /// Its name in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Redis => "redis",
            Self::Database => "database",
        }
    }
}

/// How many answers came from where. Each counter is looked up once, which takes longer than to count.
#[derive(Debug)]
pub(crate) struct Counters {
    local: Counter,
    redis: Counter,
    database: Counter,
}

impl Counters {
    pub(crate) fn new() -> Self {
        let of = |source: Source| counter!(CACHE_READS.name, "source" => source.as_str());
        Self { local: of(Source::Local), redis: of(Source::Redis), database: of(Source::Database) }
    }

    /// Counts an answer.
    pub(crate) fn count(&self, source: Source) {
        let counter = match source {
            Source::Local => &self.local,
            Source::Redis => &self.redis,
            Source::Database => &self.database,
        };
        counter.increment(1);
    }
}

/// The task as its JSON, unless it was deleted.
pub(crate) fn body(task: &Task) -> Result<Option<TaskBody>, sqlx::Error> {
    if task.is_deleted() {
        return Ok(None);
    }
    let json = serde_json::to_vec(task).map_err(unwritable)?;
    Ok(Some(TaskBody { version: task.version, json: json.into() }))
}
