//! Where the facts of a shard begin that were published and wait for Redis.
//!
//! As with a [poll](super::floor), an old snapshot keeps the rows of those that were deleted since. Only
//! the holder of a shard marks its facts as sent, so it knows the lowest one. A look from the beginning
//! now and then finds what the holder before marked at the last moment.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// Between two looks from the beginning.
const FULL_EVERY: Duration = Duration::from_mins(1);
/// Above all numbers: no fact is known to wait.
const NONE: i64 = i64::MAX;

/// The lowest sequence number of each shard. One that is not known is looked for from the beginning.
#[derive(Debug, Default)]
pub(super) struct SentFloors {
    of_shards: HashMap<i16, i64>,
    /// What was marked since a look began, which it may have missed.
    marked: HashMap<i16, i64>,
    full_at: Option<Instant>,
}

impl SentFloors {
    /// Where to look for facts of `shards`, right now.
    pub(super) fn begin(&mut self, shards: &[i16], now: Instant) -> Vec<i64> {
        self.marked.clear();
        self.of_shards.retain(|shard, _| shards.contains(shard));
        if self.full_at.is_none_or(|at| at <= now) {
            self.full_at = Some(now + FULL_EVERY);
            self.of_shards.clear();
        }
        self.of(shards)
    }

    /// Raises the floors after a look that found these facts.
    pub(super) fn end(&mut self, shards: &[i16], facts: impl Iterator<Item = (i16, i64)>) {
        self.of_shards = shards.iter().map(|shard| (*shard, NONE)).collect();
        for (shard, seq) in facts.chain(std::mem::take(&mut self.marked)) {
            self.lower(shard, seq);
        }
    }

    /// A fact was marked as sent.
    pub(super) fn mark(&mut self, shard: i16, seq: i64) {
        self.lower(shard, seq);
        let marked = self.marked.entry(shard).or_insert(seq);
        *marked = seq.min(*marked);
    }

    fn lower(&mut self, shard: i16, seq: i64) {
        if let Some(floor) = self.of_shards.get_mut(&shard) {
            *floor = seq.min(*floor);
        }
    }

    pub(super) fn of(&self, shards: &[i16]) -> Vec<i64> {
        shards.iter().map(|shard| self.of_shards.get(shard).copied().unwrap_or(0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_begins_at_the_lowest_fact_that_waits() {
        let (mut floors, now) = (SentFloors::default(), Instant::now());
        assert_eq!(floors.begin(&[1, 2], now), [0, 0]);
        floors.end(&[1, 2], [(1, 7), (1, 9)].into_iter());
        assert_eq!(floors.begin(&[1, 2], now), [7, NONE]);
        floors.mark(2, 5);
        floors.mark(1, 8);
        assert_eq!(floors.of(&[1, 2]), [7, 5]);
    }

    #[test]
    fn what_is_marked_during_a_look_is_not_passed_over() {
        let (mut floors, now) = (SentFloors::default(), Instant::now());
        floors.begin(&[1], now);
        floors.mark(1, 6);
        floors.mark(1, 5);
        floors.end(&[1], std::iter::empty());
        assert_eq!(floors.begin(&[1], now), [5]);
    }

    #[test]
    fn a_shard_that_was_not_held_and_a_minute_are_reasons_to_begin_anew() {
        let (mut floors, now) = (SentFloors::default(), Instant::now());
        floors.begin(&[1], now);
        floors.end(&[1], std::iter::empty());
        assert_eq!(floors.begin(&[1, 2], now), [NONE, 0]);
        floors.end(&[1, 2], std::iter::empty());
        assert_eq!(floors.begin(&[1, 2], now + FULL_EVERY), [0, 0]);
    }
}
