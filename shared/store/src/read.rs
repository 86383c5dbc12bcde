//! The read of one task: from this process, from Redis, or from PostgreSQL.

use std::time::Duration;

use domain::{Task, TaskId, TenantId};

use crate::cache::{Answer, AsOf, Filled, Origin, Source, TaskBody, body, key};
use crate::error::ReadError;
use crate::store::Store;
use crate::stored::Stored;

/// How recent an answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It may miss a write that was answered up to `CACHE_TTL_SECONDS` before, whatever becomes of
    /// Redis; as a rule, of some milliseconds before. It may come from this process
    /// ([`Store::with_local_cache`]).
    Recent,
    /// The same, of at most so long before.
    Within(Duration),
    /// From PostgreSQL: it sees every write that was answered before.
    Current,
}

impl Freshness {
    /// How old a copy may be.
    pub(crate) fn limit(self) -> Duration {
        match self {
            Self::Recent => Duration::MAX,
            Self::Within(limit) => limit,
            Self::Current => Duration::ZERO,
        }
    }
}

impl Store {
    /// The task, as recent as it must be, and where it came from; no task if there is none or it was
    /// deleted. Concurrent reads of one task that accept a [`Recent`](Freshness::Recent)
    /// answer share one load.
    ///
    /// # Errors
    /// When PostgreSQL must be read and does not answer, or the row cannot be read.
    pub async fn read(
        &self,
        tenant: &TenantId,
        id: TaskId,
        freshness: Freshness,
    ) -> Result<(Option<TaskBody>, Source), ReadError> {
        let is_bound = |limit| limit >= self.cache.ttl();
        // Most reads load nothing: so what loads has memory of its own once it begins.
        let (answer, source) = match freshness {
            Freshness::Current => {
                (Box::pin(self.load_from_postgresql(tenant, id)).await, Source::Database)
            }
            Freshness::Within(limit) if !is_bound(limit) => {
                let Filled { answer, source, .. } = Box::pin(self.load(tenant, id, limit)).await;
                (answer, source)
            }
            Freshness::Recent | Freshness::Within(_) => {
                let load = async { Box::pin(self.load(tenant, id, Duration::MAX)).await };
                self.local.get(&key(tenant, id), load).await
            }
        };
        self.reads.count(source);
        Ok((answer?, source))
    }

    /// What Redis says, if that is no older than `limit`, or else PostgreSQL.
    async fn load(&self, tenant: &TenantId, id: TaskId, limit: Duration) -> Filled {
        match self.cache.get(tenant, id, limit).await {
            Some(cached) => {
                Filled { answer: Ok(cached.task), source: Source::Redis, ttl: Some(cached.ttl) }
            }
            None => Filled {
                answer: self.load_from_postgresql(tenant, id).await,
                source: Source::Database,
                ttl: None,
            },
        }
    }

    /// What PostgreSQL says; it sets the copies right.
    async fn load_from_postgresql(&self, tenant: &TenantId, id: TaskId) -> Answer {
        let as_of = AsOf::now();
        let task = sqlx::query_scalar!(
            r#"SELECT to_jsonb(tasks) AS "task!: Stored<Task>" FROM tasks WHERE tenant = $1 AND id = $2"#,
            tenant.as_str(),
            id.as_uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(Stored(task)) = task else {
            self.cache.put_absence(tenant, id, as_of).await;
            return Ok(None);
        };
        let task = task.inspect_err(|why| why.report("tasks", id)).map_err(sqlx::Error::from)?;
        self.local.remove_older(&key(tenant, id), task.version);
        self.cache.put([(Origin::Read, &task)], as_of).await;
        Ok(body(&task)?)
    }
}
