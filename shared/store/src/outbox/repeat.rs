//! Cache writes repeated, so that a Redis that was unavailable comes back right.
//!
//! What is repeated is the task as it is now, not as a fact has it: a fact that is published late
//! must not take an emptied cache back to an older version. A task that cannot be read is passed
//! over, for it is in no cache either.

use domain::Task;
use sqlx::types::Uuid;
use tokio::time::Instant;

use super::{Lease, Outbox, OutboxError, lock};
use crate::cache::{AsOf, Origin};
use crate::stored::Stored;

/// Facts whose cache writes are repeated at once, at most, for each shard: few enough for
/// `REDIS_TIMEOUT_MS`.
const BATCH: i64 = 32;
/// Batches of one call, at most.
const BATCHES: u32 = 10;

impl Outbox {
    /// Repeats the cache writes of facts that were published while Redis was unavailable, until it
    /// is unavailable again. Returns whether any may be left.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn repeat(&self, lease: &Lease) -> Result<bool, OutboxError> {
        for _ in 0..BATCHES {
            let (seqs, tenants, tasks) = self.uncached(lease).await?;
            if seqs.is_empty() {
                return Ok(false);
            }
            if !self.refresh(&tenants, &tasks).await? {
                return Ok(true);
            }
            self.delete(&seqs).await?;
        }
        Ok(true)
    }

    /// Facts that wait for Redis: their `seq`, tenants and tasks.
    async fn uncached(
        &self,
        lease: &Lease,
    ) -> Result<(Vec<i64>, Vec<String>, Vec<Uuid>), OutboxError> {
        let floors = lock(&self.sent_floors).begin(&lease.shards, Instant::now());
        let waiting = sqlx::query!(
            r#"
            SELECT fact.shard, seq, tenant, task_id
            FROM unnest($1::smallint[], $2::bigint[]) AS leased (shard, floor)
            CROSS JOIN LATERAL (
                SELECT outbox.shard, seq, tenant, task_id
                FROM outbox
                WHERE outbox.shard BETWEEN leased.shard AND leased.shard
                AND outbox.seq >= leased.floor AND sent
                ORDER BY outbox.shard, outbox.seq
                LIMIT $3
            ) AS fact
            "#,
            &lease.shards,
            &floors,
            BATCH,
        )
        .fetch_all(&self.store.pool)
        .await?;
        let found = waiting.iter().map(|row| (row.shard, row.seq));
        lock(&self.sent_floors).end(&lease.shards, found);
        let tasks = waiting.iter().map(|row| row.task_id).collect();
        let seqs = waiting.iter().map(|row| row.seq).collect();
        Ok((seqs, waiting.into_iter().map(|row| row.tenant).collect(), tasks))
    }

    /// Writes the tasks through to the cache, as they are now. Returns whether Redis took them, or
    /// there is none.
    pub(super) async fn refresh(
        &self,
        tenants: &[String],
        tasks: &[Uuid],
    ) -> Result<bool, OutboxError> {
        if tenants.is_empty() || !self.store.cache.is_configured() {
            return Ok(true);
        }
        let as_of = AsOf::now();
        let rows = sqlx::query!(
            r#"
            SELECT tasks.id AS "id!", to_jsonb(tasks) AS "task!: Stored<Task>"
            FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::uuid[]) AS key (tenant, id)) AS key
            JOIN tasks USING (tenant, id)
            "#,
            tenants,
            tasks,
        )
        .fetch_all(&self.store.pool)
        .await?;
        let readable = rows
            .into_iter()
            .filter_map(|row| row.task.0.inspect_err(|why| why.report("tasks", row.id)).ok());
        let tasks: Vec<Task> = readable.collect();
        // Redis knows the changes that it has: a repeat of those invalidates no list page.
        let changed = tasks.iter().map(|task| (Origin::Changed, task));
        Ok(self.store.cache.put(changed, as_of).await)
    }
}
