//! Facts on their way out: polled, published, deleted.

use std::borrow::Borrow;
use std::fmt;

use events::{FactRecord, FactType};
use sqlx::types::Uuid;

use super::record::{Row, record};
use super::{Lease, Outbox, OutboxError, lock};

/// Polls in a row that find nothing but facts of blocked tasks, at most.
const POLLS: usize = 100;
/// Of a batch, the part that facts of blocked tasks may take: those that nothing is wrong with go on
/// whatever is tried again.
const RETRY_SHARE: usize = 4;

/// A task of a tenant as the database names it, which may be nothing that the contract allows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TaskKey {
    /// The tenant.
    pub tenant: String,
    /// The task's identifier.
    pub task: Uuid,
}

/// A committed fact that not every queue has taken yet.
pub struct PendingFact {
    /// Its place among the facts of its task.
    pub seq: i64,
    /// What it is known by, for ever and everywhere.
    pub id: Uuid,
    /// Which task it is about.
    pub task: TaskKey,
    /// What is published, or why the contract does not allow it: then no attempt helps. That is the
    /// fact's own matter and not that of its batch.
    pub record: anyhow::Result<FactRecord>,
    /// The URLs of queues that are known to have it.
    pub published_to: Vec<String>,
    /// Whether its task is blocked by it, and this is its next attempt.
    pub is_retry: bool,
}

impl TaskKey {
    /// As the database computes it: by the last bits of the identifier.
    fn shard(&self) -> i16 {
        let [.., last] = *self.task.as_bytes();
        i16::from(last & 15)
    }
}

impl PendingFact {
    /// Whether it changed its task: then Redis may have missed that.
    fn is_change(&self) -> bool {
        let rejected = FactType::CommandRejected.as_str();
        self.record.as_ref().map_or(true, |record| record.kind != rejected)
    }
}

/// Without the data, which is personal.
impl fmt::Debug for PendingFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, id, record, .. } = self;
        f.debug_struct("PendingFact")
            .field("seq", seq)
            .field("id", id)
            .field("record", record)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskKey").field(&self.task).finish()
    }
}

impl Outbox {
    /// The next facts to publish: about `limit` of the leased shards, in the order of `seq` (each
    /// shard gets an equal part of `limit`, rounded up), and up to a quarter as many that are due to
    /// be tried again. None of a task that is blocked by an earlier fact.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn pending(
        &self,
        lease: &Lease,
        limit: usize,
    ) -> Result<Vec<PendingFact>, OutboxError> {
        if lease.shards.is_empty() {
            return Ok(Vec::new());
        }
        let retries = self.due(lease, limit.div_ceil(RETRY_SHARE)).await?;
        for _ in 0..POLLS {
            let (mut facts, blocked) = self.poll(lease, limit).await?;
            self.hold_back(&blocked).await?;
            if !facts.is_empty() || !retries.is_empty() || blocked.is_empty() {
                facts.extend(retries);
                return Ok(facts);
            }
        }
        Ok(Vec::new())
    }

    /// One look at each shard from its floor up: the facts, and the `seq` of those whose task is
    /// blocked.
    async fn poll(
        &self,
        lease: &Lease,
        limit: usize,
    ) -> Result<(Vec<PendingFact>, Vec<i64>), OutboxError> {
        let per_shard = limit.div_ceil(lease.shards.len());
        let floors = self.begin_poll(lease).await?;
        let rows = sqlx::query!(
            r#"
            SELECT fact.shard, fact.seq, fact.id, fact.tenant, fact.task_id, fact.type AS kind,
                fact.data::text AS "data!", fact.actor, fact.traceparent, fact.published_to,
                -- As text, for not every time that the database can hold is one to us.
                to_jsonb(fact.occurred_at) #>> '{}' AS "occurred_at!",
                EXISTS (
                    SELECT FROM outbox_blocked_tasks AS blocked
                    WHERE blocked.tenant = fact.tenant AND blocked.task_id = fact.task_id
                ) AS "is_blocked!"
            FROM unnest($1::smallint[], $2::bigint[]) AS leased (shard, floor)
            CROSS JOIN LATERAL (
                SELECT *
                FROM outbox
                WHERE outbox.shard BETWEEN leased.shard AND leased.shard
                AND outbox.seq >= leased.floor AND NOT sent AND NOT blocked
                ORDER BY outbox.shard, outbox.seq
                LIMIT $3
            ) AS fact
            ORDER BY fact.seq
            "#,
            &lease.shards,
            &floors,
            i64::try_from(per_shard).unwrap_or(i64::MAX),
        )
        .fetch_all(&self.store.pool)
        .await?;
        self.end_poll(lease, rows.iter().map(|row| (row.shard, row.seq)));
        let (mut facts, mut blocked) = (Vec::new(), Vec::new());
        for row in rows {
            if row.is_blocked {
                blocked.push(row.seq);
                continue;
            }
            facts.push(PendingFact {
                seq: row.seq,
                id: row.id,
                record: record(Row {
                    id: row.id,
                    tenant: &row.tenant,
                    task: row.task_id,
                    kind: row.kind,
                    data: row.data,
                    actor: row.actor,
                    traceparent: row.traceparent,
                    occurred_at: &row.occurred_at,
                }),
                task: TaskKey { tenant: row.tenant, task: row.task_id },
                published_to: row.published_to,
                is_retry: false,
            });
        }
        Ok((facts, blocked))
    }

    /// Records that every queue has these facts. The copies of the tasks that they changed are set
    /// right once more, and then the facts are deleted; returns `false` if Redis did not answer, and
    /// those of changes wait for [`repeat`](Self::repeat). Tasks that they blocked are blocked no
    /// longer.
    ///
    /// # Errors
    /// When PostgreSQL does not answer; the facts will be published again.
    pub async fn published(&self, facts: &[impl Borrow<PendingFact>]) -> Result<bool, OutboxError> {
        let facts: Vec<&PendingFact> = facts.iter().map(Borrow::borrow).collect();
        let (changes, others): (Vec<_>, Vec<_>) =
            facts.iter().copied().partition(|fact| fact.is_change());
        let (tenants, tasks) = keys(changes.iter().map(|fact| &fact.task));
        let cached = self.refresh(&tenants, &tasks).await?;
        if cached {
            self.delete(&[seqs(&changes), seqs(&others)].concat()).await?;
        } else {
            self.delete(&seqs(&others)).await?;
            self.mark_sent(&changes).await?;
        }
        let retried = facts.iter().filter(|fact| fact.is_retry).map(|fact| &fact.task);
        self.unblock(retried).await?;
        Ok(cached)
    }

    async fn mark_sent(&self, changes: &[&PendingFact]) -> Result<(), OutboxError> {
        let marked = sqlx::query!(
            "UPDATE outbox SET sent = true WHERE seq = ANY ($1) -- every tenant's",
            &seqs(changes)
        )
        .execute(&self.store.pool)
        .await;
        // Also after an error: it may have been done.
        for fact in changes {
            lock(&self.sent_floors).mark(fact.task.shard(), fact.seq);
        }
        marked?;
        Ok(())
    }

    pub(super) async fn delete(&self, seqs: &[i64]) -> Result<(), OutboxError> {
        sqlx::query!("DELETE FROM outbox WHERE seq = ANY ($1) -- every tenant's", seqs)
            .execute(&self.store.pool)
            .await?;
        Ok(())
    }
}

fn seqs(facts: &[&PendingFact]) -> Vec<i64> {
    facts.iter().map(|fact| fact.seq).collect()
}

/// Tenants and tasks, each as a column.
pub(super) fn keys<'a>(tasks: impl Iterator<Item = &'a TaskKey>) -> (Vec<String>, Vec<Uuid>) {
    tasks.map(|task| (task.tenant.clone(), task.task)).unzip()
}
