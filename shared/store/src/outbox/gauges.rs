//! How far behind publishing is, in the shards that a replica holds: together, the replicas measure
//! the whole outbox.

use instruments::Instrument;
use metrics::gauge;

use super::{Lease, Outbox, OutboxError};
use crate::instruments::{BLOCKED, LAG, PARKED, UNSENT};

impl Outbox {
    /// Sets [`OUTBOX_INSTRUMENTS`](crate::OUTBOX_INSTRUMENTS).
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn measure(&self, lease: &Lease) -> Result<(), OutboxError> {
        let measured = sqlx::query!(
            r#"
            -- every tenant's
            -- Each with where its pending facts begin, as a poll.
            WITH leased AS (
                SELECT * FROM unnest($1::smallint[], $2::bigint[]) AS leased (shard, floor)
            ),
            -- Bounded, as all counts here: an outage must not make them slow.
            pending AS (
                -- Shard by shard, as a poll: a join may walk over the whole index where the planner
                -- takes the table for empty.
                SELECT 1 FROM leased CROSS JOIN LATERAL (
                    SELECT 1 FROM outbox
                    WHERE outbox.shard BETWEEN leased.shard AND leased.shard
                    AND outbox.seq >= leased.floor AND NOT sent AND NOT blocked
                    ORDER BY outbox.shard, outbox.seq LIMIT 100000
                ) AS fact
                LIMIT 100000
            ),
            -- Facts of blocked tasks: unsent, too, and no poll finds them.
            held_back AS (
                SELECT 1 FROM leased JOIN outbox USING (shard) WHERE blocked LIMIT 100000
            ),
            -- Facts of a shard are written in about the order of their times: its first one is the oldest.
            first_pending AS (
                SELECT occurred_at FROM leased CROSS JOIN LATERAL (
                    SELECT occurred_at FROM outbox
                    WHERE outbox.shard BETWEEN leased.shard AND leased.shard
                    AND outbox.seq >= leased.floor AND NOT sent AND NOT blocked
                    ORDER BY outbox.shard, outbox.seq LIMIT 1
                ) AS first
            ),
            -- The row of a task has the time of its fact, so the fact itself need not be looked up.
            retried AS (
                SELECT occurred_at FROM leased JOIN outbox_blocked_tasks USING (shard)
                WHERE parked_at IS NULL LIMIT 100000
            ),
            -- Apart: they wait for an operator, and count for no lag.
            parked AS (
                SELECT 1 FROM leased JOIN outbox_blocked_tasks USING (shard)
                WHERE parked_at IS NOT NULL LIMIT 100000
            ),
            -- The database can hold times that are not finite, and they have no age.
            oldest AS (
                SELECT min(occurred_at) AS occurred_at FROM (
                    SELECT occurred_at FROM first_pending UNION ALL SELECT occurred_at FROM retried
                ) AS unpublished
                WHERE isfinite(occurred_at)
            )
            SELECT
                (SELECT count(*) FROM pending) + (SELECT count(*) FROM held_back) AS "unsent!",
                (SELECT count(*) FROM retried) AS "blocked!",
                (SELECT count(*) FROM parked) AS "parked!",
                coalesce(extract(epoch FROM now() - (SELECT occurred_at FROM oldest)), 0)::float8
                    AS "lag!"
            "#,
            &lease.shards,
            &self.floors(&lease.shards),
        )
        .fetch_one(&self.store.pool)
        .await?;
        gauge!(LAG.name).set(measured.lag.max(0.0));
        set(UNSENT, measured.unsent);
        set(BLOCKED, measured.blocked);
        set(PARKED, measured.parked);
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is at most 200,000")]
fn set(instrument: Instrument, count: i64) {
    gauge!(instrument.name).set(count as f64);
}
