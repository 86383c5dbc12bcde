//! Old rows deleted, a little at a time.
//!
//! While anybody holds an old snapshot, PostgreSQL keeps what was deleted, and each purge that began at
//! the oldest row would walk over all of that. So it begins where the last one ended.

use std::time::Duration;

use tokio::time::Instant;

use super::{Lease, Outbox, OutboxError, lock};

/// Rows deleted by one statement, at most.
const BATCH: i64 = 1_000;
/// The cache's clock and the database's may differ by that much.
const SLACK: Duration = Duration::from_mins(1);
/// Between two purges of the inbox from its oldest row: a host's clock may have been far behind.
const FULL_EVERY: Duration = Duration::from_hours(1);
/// Before all times.
const BEGINNING: &str = "-infinity";

/// How far the inbox is purged.
#[derive(Debug)]
pub(super) struct Purged {
    /// A time, as PostgreSQL writes it. What is older is deleted.
    before: String,
    full_at: Option<Instant>,
}

impl Default for Purged {
    fn default() -> Self {
        Self { before: BEGINNING.to_owned(), full_at: None }
    }
}

impl Purged {
    fn begin(&mut self, now: Instant) -> String {
        if self.full_at.is_none_or(|at| at <= now) {
            *self = Self { full_at: Some(now + FULL_EVERY), ..Self::default() };
        }
        self.before.clone()
    }
}

impl Outbox {
    /// Deletes some published facts of the leased shards that waited for Redis for longer than
    /// anything stays in it; and, by the holder of the first shard, some commands that were processed
    /// longer than `retention` ago (a repeat of one of them would take effect again), and replicas
    /// that are gone. Returns whether there may be more to delete.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn purge(&self, lease: &Lease, retention: Duration) -> Result<bool, OutboxError> {
        let mut deleted = self.purge_facts(lease).await?;
        if lease.is_first() {
            deleted = deleted.max(self.purge_inbox(retention).await?);
            sqlx::query!(
                r#"
                -- no tenant's
                DELETE FROM outbox_relays
                WHERE seen_until < now() - interval '1 minute' OR seen_until > now() + interval '1 hour'
                "#
            )
            .execute(&self.store.pool)
            .await?;
        }
        Ok(deleted >= BATCH)
    }

    async fn purge_inbox(&self, retention: Duration) -> Result<i64, OutboxError> {
        let before = lock(&self.purged).begin(Instant::now());
        let purged = sqlx::query!(
            r#"
            -- every tenant's
            -- The newest time of what was deleted is where the next purge begins.
            WITH purged AS (
                DELETE FROM inbox WHERE ctid = ANY (ARRAY (
                    SELECT ctid FROM inbox
                    WHERE processed_at < now() - make_interval(secs => $1)
                    AND processed_at >= $2::text::timestamptz
                    ORDER BY processed_at
                    LIMIT $3
                ))
                RETURNING processed_at
            )
            SELECT count(*) AS "count!", max(processed_at)::text AS newest FROM purged
            "#,
            retention.as_secs_f64(),
            before,
            BATCH,
        )
        .fetch_one(&self.store.pool)
        .await?;
        if let Some(newest) = purged.newest {
            lock(&self.purged).before = newest;
        }
        Ok(purged.count)
    }

    async fn purge_facts(&self, lease: &Lease) -> Result<i64, OutboxError> {
        let purged = sqlx::query!(
            r#"
            -- every tenant's
            DELETE FROM outbox WHERE seq = ANY (ARRAY (
                SELECT fact.seq
                FROM unnest($1::smallint[], $2::bigint[]) AS leased (shard, floor)
                CROSS JOIN LATERAL (
                    SELECT seq FROM outbox
                    WHERE outbox.shard BETWEEN leased.shard AND leased.shard
                    AND outbox.seq >= leased.floor AND sent
                    AND occurred_at < now() - make_interval(secs => $3)
                    ORDER BY outbox.shard, outbox.seq
                    LIMIT $4
                ) AS fact
                LIMIT $4
            ))
            "#,
            &lease.shards,
            &lock(&self.sent_floors).of(&lease.shards),
            (self.store.cache.ttl() + SLACK).as_secs_f64(),
            BATCH,
        )
        .execute(&self.store.pool)
        .await?;
        Ok(i64::try_from(purged.rows_affected()).unwrap_or(BATCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_purge_begins_where_the_last_one_ended_and_now_and_then_at_the_beginning() {
        let mut purged = Purged::default();
        let start = Instant::now();
        assert_eq!(purged.begin(start), BEGINNING);
        purged.before = "2026-01-31 09:30:00+00".to_owned();
        assert_eq!(purged.begin(start + FULL_EVERY / 2), "2026-01-31 09:30:00+00");
        assert_eq!(purged.begin(start + FULL_EVERY), BEGINNING);
        purged.before = "2026-02-01 09:30:00+00".to_owned();
        assert_eq!(purged.begin(start + FULL_EVERY * 3 / 2), "2026-02-01 09:30:00+00");
    }
}
