//! Facts that block their task and are due to be tried again.
//!
//! Each attempt moves its task to a later time, and while anybody holds an old snapshot, PostgreSQL keeps
//! the row that was there before. So a look begins at the oldest that was found by the last one, and
//! only now and then at the very beginning.

use std::time::Duration;

use tokio::time::Instant;

use super::record::{Row, record};
use super::{Lease, Outbox, OutboxError, PendingFact, TaskKey, lock};

/// Between two looks from the very beginning.
const FULL_EVERY: Duration = Duration::from_secs(30);
/// An operator's retry is due when it begins, and is seen when it commits.
const LONGEST_TRANSACTION: Duration = Duration::from_mins(1);

/// Since when facts may be due.
#[derive(Debug, Default)]
pub(super) struct DueSince {
    shards: Vec<i16>,
    /// The last look found nothing that was due before.
    since: Option<Instant>,
    full_at: Option<Instant>,
}

impl DueSince {
    /// For how many seconds facts of `shards` may have been due; `None` for any time.
    fn begin(&mut self, shards: &[i16], now: Instant) -> Option<f64> {
        if self.shards != shards || self.full_at.is_none_or(|at| at <= now) {
            *self = Self { shards: shards.to_vec(), since: None, full_at: Some(now + FULL_EVERY) };
        }
        let since = self.since?;
        Some((now.saturating_duration_since(since) + LONGEST_TRANSACTION).as_secs_f64())
    }

    /// The look at `now` found none that was due for longer than `oldest`.
    fn end(&mut self, now: Instant, oldest: Duration) {
        self.since = now.checked_sub(oldest);
    }
}

impl Outbox {
    /// Facts that block their task and are due to be tried again. Tasks without their fact are
    /// unblocked instead.
    pub(super) async fn due(
        &self,
        lease: &Lease,
        limit: usize,
    ) -> Result<Vec<PendingFact>, OutboxError> {
        let now = Instant::now();
        let due_for = lock(&self.due_since).begin(&lease.shards, now);
        let rows = sqlx::query!(
            r#"
            SELECT due.tenant, due.task_id, due.seq, due.fact_id, due.type AS kind,
                fact.data::text AS data, fact.actor AS "actor?", fact.traceparent AS "traceparent?",
                to_jsonb(fact.occurred_at) #>> '{}' AS occurred_at,
                fact.published_to AS "published_to?",
                CASE WHEN isfinite(due.retry_at)
                    THEN extract(epoch FROM now() - due.retry_at) END::float8 AS due_for
            FROM (
                SELECT due.*
                FROM unnest($1::smallint[]) AS leased (shard)
                CROSS JOIN LATERAL (
                    SELECT *
                    FROM outbox_blocked_tasks AS blocked
                    WHERE blocked.shard BETWEEN leased.shard AND leased.shard
                    AND parked_at IS NULL AND retry_at <= now()
                    AND retry_at >= coalesce(now() - make_interval(secs => $3), '-infinity')
                    ORDER BY blocked.shard, blocked.retry_at
                    LIMIT $2
                ) AS due
                ORDER BY due.retry_at
                LIMIT $2
            ) AS due
            LEFT JOIN outbox AS fact ON fact.seq = due.seq AND fact.id = due.fact_id AND NOT sent
            "#,
            &lease.shards,
            i64::try_from(limit).unwrap_or(i64::MAX),
            due_for,
        )
        .fetch_all(&self.store.pool)
        .await?;
        let oldest = rows.iter().filter_map(|row| row.due_for).fold(0.0, f64::max);
        let oldest = Duration::try_from_secs_f64(oldest).unwrap_or(Duration::MAX);
        lock(&self.due_since).end(now, oldest);
        let (mut facts, mut without) = (Vec::new(), Vec::new());
        for row in rows {
            let task = TaskKey { tenant: row.tenant, task: row.task_id };
            let (Some(data), Some(occurred_at)) = (row.data, row.occurred_at) else {
                without.push(task);
                continue;
            };
            facts.push(PendingFact {
                seq: row.seq,
                id: row.fact_id,
                record: record(Row {
                    id: row.fact_id,
                    tenant: &task.tenant,
                    task: task.task,
                    kind: row.kind,
                    data,
                    actor: row.actor,
                    traceparent: row.traceparent,
                    occurred_at: &occurred_at,
                }),
                task,
                published_to: row.published_to.unwrap_or_default(),
                is_retry: true,
            });
        }
        self.unblock(without.iter()).await?;
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_look_begins_a_minute_before_the_oldest_that_was_found() {
        let (mut due, now) = (DueSince::default(), Instant::now() + FULL_EVERY);
        assert_eq!(due.begin(&[1], now), None);
        due.end(now, Duration::from_secs(3));
        let later = now + Duration::from_secs(2);
        assert_eq!(due.begin(&[1], later), Some(65.0));
        due.end(later, Duration::ZERO);
        assert_eq!(due.begin(&[1], later), Some(60.0));
        assert_eq!(due.begin(&[1, 2], later), None, "of the other shard nothing is known");
        due.end(later, Duration::ZERO);
        assert_eq!(due.begin(&[1, 2], later + FULL_EVERY), None);
    }
}
