//! Chance that can be repeated.

use std::{
    ops::RangeInclusive,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

/// A seeded source of choices that tasks share.
pub(super) struct Dice(Mutex<SmallRng>);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(SmallRng::seed_from_u64(seed)))
    }

    /// True in `percent` of a hundred cases.
    pub(super) fn chance(&self, percent: u32) -> bool {
        self.random().random_ratio(percent.min(100), 100)
    }

    pub(super) fn number(&self, range: RangeInclusive<u16>) -> u16 {
        self.random().random_range(range)
    }

    pub(super) fn millis(&self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.random().random_range(range))
    }

    /// A source of its own for somebody else.
    pub(super) fn fork(&self) -> SmallRng {
        SmallRng::from_rng(&mut *self.random())
    }

    fn random(&self) -> MutexGuard<'_, SmallRng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
