//! Facts on their way out: read, told, gone.

use std::fmt;

use domain::{TaskId, TenantId, Timestamp};
use events::FactType;
use serde_json::value::RawValue;
use sqlx::types::{Json, Uuid};

use super::{Lease, Outbox, OutboxError};
use crate::load::unreadable;

/// A committed fact that not every queue has taken yet.
#[derive(Clone)]
pub struct UntoldFact {
    /// Its place among the facts of its task.
    pub seq: i64,
    /// Whose task it is about.
    pub tenant: TenantId,
    /// Which task.
    pub task: TaskId,
    /// The event's type.
    pub kind: String,
    /// The event's data.
    pub data: Box<RawValue>,
    /// The trace context of the command that led to it.
    pub traceparent: Option<String>,
    /// When it came true.
    pub occurred_at: Timestamp,
}

impl UntoldFact {
    /// Whether it changed its task: then Redis may have missed that.
    fn is_change(&self) -> bool {
        self.kind != FactType::CommandRejected.as_str()
    }
}

/// Without the data, which is personal.
impl fmt::Debug for UntoldFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seq, kind, .. } = self;
        f.debug_struct("UntoldFact").field("seq", seq).field("kind", kind).finish_non_exhaustive()
    }
}

impl Outbox {
    /// Facts of the leased shards in the order of `seq`, about `limit` at most (each shard gets an
    /// equal part of it, rounded up); none about the tasks `but`.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn untold(
        &self,
        lease: &Lease,
        but: &[TaskId],
        limit: usize,
    ) -> Result<Vec<UntoldFact>, OutboxError> {
        if lease.shards.is_empty() {
            return Ok(Vec::new());
        }
        let each = i64::try_from(limit.div_ceil(lease.shards.len())).unwrap_or(i64::MAX);
        let but: Vec<Uuid> = but.iter().map(|task| task.as_uuid()).collect();
        let rows = sqlx::query!(
            r#"
            SELECT fact.seq, tenant, task_id, type AS kind, data AS "data: Json<Box<RawValue>>",
                traceparent, occurred_at
            FROM unnest($1::smallint[]) AS leased (shard)
            CROSS JOIN LATERAL (
                SELECT *
                FROM outbox
                WHERE outbox.shard BETWEEN leased.shard AND leased.shard
                AND NOT sent AND task_id <> ALL ($2::uuid[])
                ORDER BY outbox.shard, outbox.seq
                LIMIT $3
            ) AS fact
            ORDER BY fact.seq
            "#,
            &lease.shards,
            &but,
            each,
        )
        .fetch_all(&self.store.pool)
        .await?;
        let facts = rows.into_iter().map(|row| {
            Ok(UntoldFact {
                seq: row.seq,
                tenant: row.tenant.try_into().map_err(unreadable)?,
                task: row.task_id.try_into().map_err(unreadable)?,
                kind: row.kind,
                data: row.data.0,
                traceparent: row.traceparent,
                occurred_at: row.occurred_at,
            })
        });
        facts.collect()
    }

    /// Takes note that every queue has these facts. The copies of the tasks that they changed are set
    /// right once more, and then the facts are deleted; returns `false` if Redis did not answer, and
    /// those of changes wait for [`repeat`](Self::repeat).
    ///
    /// # Errors
    /// When PostgreSQL does not answer; the facts will be told again.
    pub async fn told(&self, facts: &[UntoldFact]) -> Result<bool, OutboxError> {
        let (changes, others): (Vec<_>, Vec<_>) = facts.iter().partition(|fact| fact.is_change());
        let seqs = |facts: &[&UntoldFact]| facts.iter().map(|fact| fact.seq).collect::<Vec<_>>();
        let (tenants, tasks): (Vec<_>, Vec<_>) =
            changes.iter().map(|fact| (fact.tenant.to_string(), fact.task.as_uuid())).unzip();
        if self.refresh(&tenants, &tasks).await? {
            self.forget(&[seqs(&changes), seqs(&others)].concat()).await?;
            return Ok(true);
        }
        self.forget(&seqs(&others)).await?;
        sqlx::query!(
            "UPDATE outbox SET sent = true WHERE seq = ANY ($1) -- every tenant's",
            &seqs(&changes)
        )
        .execute(&self.store.pool)
        .await?;
        Ok(false)
    }

    pub(super) async fn forget(&self, seqs: &[i64]) -> Result<(), OutboxError> {
        sqlx::query!("DELETE FROM outbox WHERE seq = ANY ($1) -- every tenant's", seqs)
            .execute(&self.store.pool)
            .await?;
        Ok(())
    }
}
