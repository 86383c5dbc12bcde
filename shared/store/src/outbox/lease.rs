//! Who may publish the facts of which shard.
//!
//! A lease ends by the database's clock. Its holder counts by its own, from before its request, and
//! stops a margin earlier: so no two ever publish the facts of one task at the same time, whatever the
//! hosts' clocks say. A lease that would end later than any can is none: the database's clock went back,
//! as after a fail-over, and nobody would take the shard until it has caught up.

use tokio::time::Instant;

use super::{Outbox, OutboxError};

/// The shards that a replica holds, and for how long.
#[derive(Clone, Debug)]
pub struct Lease {
    /// The shards' numbers.
    pub shards: Vec<i16>,
    /// Until when their facts may be published.
    pub until: Instant,
    /// When to renew it.
    pub renew_at: Instant,
}

impl Lease {
    /// Whether this replica does what one at a time does, such as purging.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.shards.contains(&0)
    }
}

impl Outbox {
    /// Renews the lease. The replica keeps no more than its fair share of the shards (as many as
    /// there are, divided by the live replicas, rounded up), and takes more that are free, or whose
    /// holder is gone, up to that.
    ///
    /// Call it while nothing is being published: it may release shards.
    ///
    /// # Errors
    /// When PostgreSQL does not answer; the lease that was holds until its end.
    pub async fn lease(&self) -> Result<Lease, OutboxError> {
        let requested = Instant::now();
        let shards = sqlx::query_scalar!(
            r#"
            -- no tenant's
            -- For the other replicas, which count this one from now on.
            WITH me AS (
                INSERT INTO outbox_relays (id, seen_until)
                VALUES ($1, now() + make_interval(secs => $2))
                ON CONFLICT (id) DO UPDATE SET seen_until = excluded.seen_until
            ),
            -- No part of a statement sees what another one writes: hence 1 for this replica itself.
            share AS (
                SELECT ceil((SELECT count(*) FROM outbox_shards) / (1.0 + count(*))) AS size
                FROM outbox_relays
                WHERE id <> $1 AND seen_until BETWEEN now() AND now() + interval '1 hour'
            ),
            -- Locked before they are counted: nobody takes one of them meanwhile.
            held AS MATERIALIZED (
                SELECT shard FROM outbox_shards WHERE holder = $1 ORDER BY shard FOR UPDATE
            ),
            -- What another replica is taking right now is not waited for.
            free AS MATERIALIZED (
                SELECT shard
                FROM outbox_shards
                WHERE holder IS DISTINCT FROM $1
                AND (leased_until <= now() OR leased_until > now() + interval '1 hour')
                ORDER BY shard
                LIMIT greatest(0, (SELECT size FROM share) - (SELECT count(*) FROM held))
                FOR UPDATE SKIP LOCKED
            ),
            -- What is held above the share is given back, so that a new replica gets its own.
            wanted AS (
                SELECT shard, row_number() OVER (ORDER BY shard) <= (SELECT size FROM share) AS kept
                FROM held
                UNION ALL
                SELECT shard, true FROM free
            ),
            -- Renews, takes and gives back in one update: its rows are the answer.
            leased AS (
                UPDATE outbox_shards SET
                    holder = CASE WHEN kept THEN $1 END,
                    leased_until =
                        CASE WHEN kept THEN now() + make_interval(secs => $2) ELSE '-infinity' END
                FROM wanted
                WHERE outbox_shards.shard = wanted.shard
                RETURNING outbox_shards.shard, kept
            ),
            -- Once for all shards that are given back, and not at all if there are none.
            notified AS MATERIALIZED (
                SELECT count(pg_notify('outbox', 'shards'))
                FROM (SELECT 1 FROM leased WHERE NOT kept LIMIT 1) AS given
            )
            SELECT shard AS "shard!" FROM leased, notified WHERE kept ORDER BY shard
            "#,
            self.id,
            self.lease.as_secs_f64(),
        )
        .fetch_all(&self.store.pool)
        .await?;
        Ok(Lease {
            shards,
            until: requested + self.lease * 4 / 5,
            renew_at: requested + self.lease / 3,
        })
    }

    /// Gives all shards back and notifies the other replicas, who take them at once.
    ///
    /// # Errors
    /// When PostgreSQL does not answer; the lease lapses by itself then.
    pub async fn release(&self) -> Result<(), OutboxError> {
        sqlx::query!(
            r#"
            -- no tenant's
            -- The others no longer count this replica.
            WITH gone AS (DELETE FROM outbox_relays WHERE id = $1),
            -- Free at once, and not when the lease ends.
            given AS (
                UPDATE outbox_shards SET holder = NULL, leased_until = '-infinity'
                WHERE holder = $1
                RETURNING 1
            )
            SELECT count(pg_notify('outbox', 'shards')) FROM (SELECT 1 FROM given LIMIT 1) AS given
            "#,
            self.id,
        )
        .fetch_one(&self.store.pool)
        .await?;
        Ok(())
    }
}
