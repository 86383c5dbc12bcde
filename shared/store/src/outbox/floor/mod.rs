//! Where a poll begins.
//!
//! While anybody holds an old snapshot, PostgreSQL keeps the rows of facts that were published and
//! deleted since, and a poll that began at the lowest sequence number would walk over all of them.
//! So each shard has a floor: no fact below it can become pending any more.
//!
//! Sequence numbers may commit out of order. So the floor rises only to numbers that were given out
//! before a point in time whose transactions have all ended since. A transaction that stays open for
//! longer than any of ours may is somebody else's, and not waited for. All of it is checked by a poll
//! from the very beginning now and then, which also finds what was written in any other way.

use std::collections::HashMap;
use std::sync::MutexGuard;
use std::time::Duration;

use tokio::time::Instant;

use super::{Lease, Outbox, OutboxError, lock};

/// Between two polls from the very beginning.
const FULL_EVERY: Duration = Duration::from_secs(30);
/// Longer than the timeouts of statements and idle transactions leave to a writer.
const LONGEST_TRANSACTION: Duration = Duration::from_mins(1);

/// What is known of sequence numbers. One that knows nothing polls from the beginning.
#[derive(Debug, Default)]
pub(super) struct Floors {
    of_shards: HashMap<i16, i64>,
    /// Whatever was given out up to here is committed or rolled back.
    settled: i64,
    settling: Option<Settling>,
    /// The last number that was given out, when last seen.
    last: i64,
    full_at: Option<Instant>,
}

/// A number that is settled when every transaction before this one has ended.
#[derive(Debug)]
struct Settling {
    seq: i64,
    transaction: i64,
    since: Instant,
}

/// A moment of the database, right before a poll.
#[derive(Clone, Copy, Debug)]
struct Moment {
    /// The last sequence number that was given out.
    last: i64,
    /// The oldest transaction that has not ended.
    oldest: i64,
    /// This moment's own transaction, if [`Floors::wants_transaction`].
    transaction: Option<i64>,
}

impl Floors {
    fn wants_transaction(&self) -> bool {
        self.settling.is_none() && self.last > self.settled
    }

    /// Where the poll of each of `shards` begins that is made right after this moment.
    fn begin(&mut self, shards: &[i16], moment: Moment, now: Instant) -> Vec<i64> {
        self.settle(moment, now);
        self.of_shards.retain(|shard, _| shards.contains(shard));
        if self.full_at.is_none_or(|at| at <= now) {
            self.full_at = Some(now + FULL_EVERY);
            return vec![0; shards.len()];
        }
        self.of(shards)
    }

    fn settle(&mut self, moment: Moment, now: Instant) {
        if moment.last < self.last {
            // The sequence went back: nothing that was known of its numbers holds.
            *self = Self::default();
        }
        let has_ended = |one: &mut Settling| {
            moment.oldest > one.transaction || now >= one.since + LONGEST_TRANSACTION
        };
        if let Some(settled) = self.settling.take_if(has_ended) {
            self.settled = settled.seq;
        }
        if let Some(transaction) = moment.transaction {
            // `last` was seen at an earlier moment: who was given it had begun before this one.
            self.settling = Some(Settling { seq: self.last, transaction, since: now });
        }
        self.last = moment.last;
    }

    /// Raises the floors after a poll that found these facts, the lowest of each shard first.
    fn end(&mut self, shards: &[i16], facts: impl Iterator<Item = (i16, i64)>) {
        let mut lowest = HashMap::new();
        for (shard, seq) in facts {
            lowest.entry(shard).or_insert(seq);
        }
        let floors = &self.of_shards;
        if lowest.iter().any(|(shard, seq)| floors.get(shard).is_some_and(|floor| seq < floor)) {
            // A poll from the beginning found what should not be there: all begins anew.
            *self = Self { full_at: self.full_at, ..Self::default() };
        }
        let above = self.settled.saturating_add(1);
        let floor = |shard| lowest.get(shard).map_or(above, |seq| above.min(*seq));
        self.of_shards = shards.iter().map(|shard| (*shard, floor(shard))).collect();
    }

    /// A fact that can be polled again.
    fn lower(&mut self, shard: i16, seq: i64) {
        if let Some(floor) = self.of_shards.get_mut(&shard) {
            *floor = seq.min(*floor);
        }
    }

    fn of(&self, shards: &[i16]) -> Vec<i64> {
        shards.iter().map(|shard| self.of_shards.get(shard).copied().unwrap_or(0)).collect()
    }
}

impl Outbox {
    /// Where the poll of each leased shard begins that is made right after this.
    pub(super) async fn begin_poll(&self, lease: &Lease) -> Result<Vec<i64>, OutboxError> {
        let wants_transaction = self.lock_floors().wants_transaction();
        let moment = sqlx::query_as!(
            Moment,
            r#"
            -- no tenant's
            SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS "last!",
                pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS "oldest!",
                CASE WHEN $1 THEN pg_current_xact_id()::text::bigint END AS transaction
            FROM outbox_seq_seq
            "#,
            wants_transaction,
        )
        .fetch_one(&self.store.pool)
        .await?;
        Ok(self.lock_floors().begin(&lease.shards, moment, Instant::now()))
    }

    /// Takes note of the shards and numbers of the facts that a poll found.
    pub(super) fn end_poll(&self, lease: &Lease, facts: impl Iterator<Item = (i16, i64)>) {
        self.lock_floors().end(&lease.shards, facts);
    }

    /// Takes note of facts that can be polled again.
    pub(super) fn lower_floors(&self, facts: impl Iterator<Item = (i16, i64)>) {
        let mut floors = self.lock_floors();
        facts.for_each(|(shard, seq)| floors.lower(shard, seq));
    }

    /// The floor of each of these shards.
    pub(super) fn floors(&self, shards: &[i16]) -> Vec<i64> {
        self.lock_floors().of(shards)
    }

    fn lock_floors(&self) -> MutexGuard<'_, Floors> {
        lock(&self.floors)
    }
}

#[cfg(test)]
mod tests;
