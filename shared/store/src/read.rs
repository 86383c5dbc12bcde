//! The read of one task: from this process, from Redis, or from PostgreSQL.

use bytes::Bytes;
use domain::{Task, TaskId, TenantId, Version};

use crate::cache::{Answer, Filled, key};
use crate::error::{ReadError, unwritable};
use crate::store::Store;
use crate::stored::Stored;

/// A task as its JSON, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskBody {
    /// The task's version: the same version has the same bytes.
    pub version: Version,
    /// The task as JSON. Clones share it.
    pub json: Bytes,
}

/// How recent an answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It may come from this process ([`Store::keeping`]), and so miss a write that was answered up
    /// to about two seconds before; as a rule it is some milliseconds.
    Recent,
    /// It sees every write that was answered before, unless Redis missed that one.
    Current,
}

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From this process, or from what another request was asking for at the time.
    Local,
    /// From Redis.
    Hit,
    /// From PostgreSQL.
    Miss,
}

impl Source {
    /// Its name in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Hit => "hit",
            Self::Miss => "miss",
        }
    }

    pub(crate) fn count(self) {
        metrics::counter!("cache_reads_total", "result" => self.as_str()).increment(1);
    }
}

impl Store {
    /// The task as it is now, from Redis or from PostgreSQL; `None` if there is none or it was
    /// deleted.
    ///
    /// # Errors
    /// When it is not in the cache and PostgreSQL does not answer, or its row cannot be read.
    pub async fn task(&self, tenant: &TenantId, id: TaskId) -> Result<Option<TaskBody>, ReadError> {
        self.read(tenant, id, Freshness::Current).await.map(|(task, _)| task)
    }

    /// The same, as recent as it must be, and where it came from. Of those who ask for the same task
    /// at once and bear a [`Recent`](Freshness::Recent) answer, one asks for all.
    ///
    /// # Errors
    /// As [`Self::task`].
    pub async fn read(
        &self,
        tenant: &TenantId,
        id: TaskId,
        freshness: Freshness,
    ) -> Result<(Option<TaskBody>, Source), ReadError> {
        let ask = self.ask(tenant, id);
        let (answer, source) = match freshness {
            Freshness::Recent => self.local.get(&key(tenant, id), ask).await,
            Freshness::Current => {
                let Filled { answer, source, .. } = ask.await;
                (answer, source)
            }
        };
        source.count();
        Ok((answer?, source))
    }

    async fn ask(&self, tenant: &TenantId, id: TaskId) -> Filled {
        match self.cache.get(tenant, id).await {
            Some(held) => Filled { answer: Ok(held.task), source: Source::Hit, ttl: held.ttl },
            None => Filled {
                answer: self.ask_postgresql(tenant, id).await,
                source: Source::Miss,
                ttl: None,
            },
        }
    }

    async fn ask_postgresql(&self, tenant: &TenantId, id: TaskId) -> Answer {
        let task = sqlx::query_scalar!(
            r#"SELECT to_jsonb(tasks) AS "task!: Stored<Task>" FROM tasks WHERE tenant = $1 AND id = $2"#,
            tenant.as_str(),
            id.as_uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(Stored(task)) = task else {
            self.cache.put_absence(tenant, id).await;
            return Ok(None);
        };
        let task = task.inspect_err(|why| why.report("tasks", id)).map_err(sqlx::Error::from)?;
        self.cache.write_through([&task]).await;
        Ok(body(&task)?)
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
