//! Parked facts as an operator sees them: listed with their reason, retried, or skipped.
//!
//! A parked fact blocks its task until it is retried or skipped. Both only change what the relay finds
//! at its next poll: it alone publishes, and it alone unblocks a task.

use domain::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::types::Uuid;

use super::OutboxError;
use crate::store::Store;
use crate::stored::StoredTime;

/// Facts that one statement retries or skips, at most.
const BATCH: i64 = 1_000;

/// An operator's way to parked facts.
#[derive(Clone, Debug)]
pub struct ParkedFacts {
    store: Store,
}

/// A fact that was refused, and what is known of that.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ParkedFact {
    /// Its identifier.
    pub fact: Uuid,
    /// Whose task it is about.
    pub tenant: String,
    /// Which task.
    pub task: Uuid,
    /// The event's type.
    pub r#type: String,
    /// The queue that refused it; none if it cannot be read.
    pub queue: Option<String>,
    /// Why, as a code.
    pub reason: String,
    /// How often it was refused since it was last retried by an operator.
    pub attempts: i32,
    /// When it was refused first since then; none if what is stored is no time.
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub first_failed_at: Option<Timestamp>,
    /// When it was refused last; none if what is stored is no time.
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub last_failed_at: Option<Timestamp>,
    /// When it was parked; none while it is still tried again.
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub parked_at: Option<Timestamp>,
    /// How many later facts of its task are known to wait for it, counted up to 1,000.
    pub held_back: i64,
}

/// Which facts are meant: those that fit all that is given.
#[derive(Clone, Debug, Default)]
pub struct ParkedFilter {
    /// These facts.
    pub facts: Option<Vec<Uuid>>,
    /// Those of a tenant.
    pub tenant: Option<String>,
    /// Those of a task.
    pub task: Option<Uuid>,
    /// Those that were refused for this reason.
    pub reason: Option<String>,
    /// Those that this queue refused.
    pub queue: Option<String>,
}

impl ParkedFacts {
    /// By `store`, which must have logged in as a member of `task_app_operator`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The facts that fit `filter`, those that were refused first before others: `limit` of them at
    /// most. `with_retried` adds those that are still tried again.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn list(
        &self,
        filter: &ParkedFilter,
        with_retried: bool,
        limit: u32,
    ) -> Result<Vec<ParkedFact>, OutboxError> {
        let facts = sqlx::query_as!(
            ParkedFact,
            r#"
            SELECT fact_id AS fact, tenant, task_id AS task, type, queue, reason, attempts,
                first_failed_at AS "first_failed_at: StoredTime",
                last_failed_at AS "last_failed_at: StoredTime",
                coalesce(parked_at, 'infinity') AS "parked_at!: StoredTime",
                (
                    SELECT count(*) FROM (
                        SELECT 1 FROM outbox
                        WHERE outbox.shard = task.shard AND outbox.tenant = task.tenant
                        AND outbox.task_id = task.task_id AND outbox.seq > task.seq AND blocked
                        LIMIT 1000
                    ) AS later
                ) AS "held_back!"
            FROM outbox_blocked_tasks AS task
            WHERE (parked_at IS NOT NULL OR $1)
            AND fact_id = ANY (coalesce($2::uuid[], ARRAY[fact_id]))
            AND tenant = coalesce($3, tenant) AND task_id = coalesce($4, task_id)
            AND reason = coalesce($5, reason) AND ($6::text IS NULL OR queue = $6)
            ORDER BY first_failed_at, fact_id
            LIMIT $7
            "#,
            with_retried,
            filter.facts.as_deref(),
            filter.tenant.as_deref(),
            filter.task,
            filter.reason.as_deref(),
            filter.queue.as_deref(),
            i64::from(limit),
        )
        .fetch_all(&self.store.pool)
        .await?;
        Ok(facts)
    }

    /// The data of a fact that was refused, which is personal, as JSON.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn data(&self, fact: Uuid) -> Result<Option<String>, OutboxError> {
        let data = sqlx::query_scalar!(
            r#"
            SELECT outbox.data::text AS "data!"
            FROM outbox_blocked_tasks AS task
            JOIN outbox ON outbox.seq = task.seq AND outbox.id = task.fact_id -- any tenant's
            WHERE task.fact_id = $1
            "#,
            fact,
        )
        .fetch_optional(&self.store.pool)
        .await?;
        Ok(data)
    }

    /// Has parked facts tried again, at once and with all their attempts. Returns how many.
    ///
    /// # Errors
    /// When PostgreSQL does not answer: some may be retried by then.
    pub async fn retry(&self, filter: &ParkedFilter) -> Result<u64, OutboxError> {
        in_batches(async || self.retry_some(filter).await).await
    }

    async fn retry_some(&self, filter: &ParkedFilter) -> Result<u64, OutboxError> {
        let retried = sqlx::query!(
            r#"
            -- Locked in order, so that no two operators wait for each other; and no more than a batch, so
            -- that the relay waits for them shortly.
            WITH chosen AS (
                SELECT tenant, task_id FROM outbox_blocked_tasks
                WHERE parked_at IS NOT NULL
                AND fact_id = ANY (coalesce($1::uuid[], ARRAY[fact_id]))
                AND tenant = coalesce($2, tenant) AND task_id = coalesce($3, task_id)
                AND reason = coalesce($4, reason) AND ($5::text IS NULL OR queue = $5)
                ORDER BY tenant, task_id
                LIMIT $6
                FOR UPDATE
            )
            UPDATE outbox_blocked_tasks AS task
            SET attempts = 0, first_failed_at = now(), retry_at = now(), parked_at = NULL
            FROM chosen
            WHERE task.tenant = chosen.tenant AND task.task_id = chosen.task_id
            "#,
            filter.facts.as_deref(),
            filter.tenant.as_deref(),
            filter.task,
            filter.reason.as_deref(),
            filter.queue.as_deref(),
            BATCH,
        )
        .execute(&self.store.pool)
        .await?;
        Ok(retried.rows_affected())
    }

    /// Gives parked facts up: they are never published, and the later facts of their tasks go on.
    /// Records which they were, `by` whom they were skipped and `why`. Returns how many.
    ///
    /// # Errors
    /// When PostgreSQL does not answer: some may be skipped by then.
    pub async fn skip(
        &self,
        filter: &ParkedFilter,
        by: &str,
        why: &str,
    ) -> Result<u64, OutboxError> {
        in_batches(async || self.skip_some(filter, by, why).await).await
    }

    async fn skip_some(
        &self,
        filter: &ParkedFilter,
        by: &str,
        why: &str,
    ) -> Result<u64, OutboxError> {
        let skipped = sqlx::query!(
            r#"
            -- Locked in order, so that no two operators wait for each other; and no more than a batch, so
            -- that the relay waits for them shortly.
            WITH chosen AS (
                SELECT * FROM outbox_blocked_tasks
                WHERE parked_at IS NOT NULL
                AND fact_id = ANY (coalesce($1::uuid[], ARRAY[fact_id]))
                AND tenant = coalesce($2, tenant) AND task_id = coalesce($3, task_id)
                AND reason = coalesce($4, reason) AND ($5::text IS NULL OR queue = $5)
                ORDER BY tenant, task_id
                LIMIT $6
                FOR UPDATE
            ),
            -- That it was given up, by whom and why, is known for longer than the fact itself.
            recorded AS (
                INSERT INTO outbox_skipped_facts (
                    fact_id, tenant, task_id, type, queue, reason, attempts, first_failed_at,
                    parked_at, skipped_by, why
                )
                SELECT fact_id, tenant, task_id, type, queue, reason, attempts, first_failed_at,
                    parked_at, $7, $8
                FROM chosen
                ON CONFLICT (fact_id) DO NOTHING
            ),
            -- The relay finds the task without its fact, and unblocks it.
            removed AS (
                DELETE FROM outbox USING chosen
                WHERE outbox.seq = chosen.seq AND outbox.id = chosen.fact_id
            )
            UPDATE outbox_blocked_tasks AS task
            SET attempts = 0, retry_at = now(), parked_at = NULL
            FROM chosen
            WHERE task.tenant = chosen.tenant AND task.task_id = chosen.task_id
            "#,
            filter.facts.as_deref(),
            filter.tenant.as_deref(),
            filter.task,
            filter.reason.as_deref(),
            filter.queue.as_deref(),
            BATCH,
            by,
            why,
        )
        .execute(&self.store.pool)
        .await?;
        Ok(skipped.rows_affected())
    }
}

/// Runs a statement of at most `BATCH` facts until it finds fewer. Returns how many it found in all.
async fn in_batches(some: impl AsyncFn() -> Result<u64, OutboxError>) -> Result<u64, OutboxError> {
    let mut total = 0;
    loop {
        let done = some().await?;
        total += done;
        if done < BATCH.unsigned_abs() {
            return Ok(total);
        }
    }
}
