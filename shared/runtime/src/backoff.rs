//! Waits that grow with failures, and their jitter.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::{RngExt as _, rngs::SmallRng};

/// `first`, doubled by each of `failures`, and at most `longest`. Draw the wait from it, so that many
/// processes do not try again at the same time.
#[must_use]
pub fn exponential(first: Duration, failures: u32, longest: Duration) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(failures)).min(longest)
}

/// Chance that can be repeated. Clones draw from the same source.
#[derive(Clone)]
pub(crate) struct Jitter(Arc<Mutex<SmallRng>>);

impl Jitter {
    /// `random` is passed in so that a test can repeat its choices.
    pub(crate) fn new(random: SmallRng) -> Self {
        Self(Arc::new(Mutex::new(random)))
    }

    /// Uniform, the bounds included.
    pub(crate) fn between(&self, shortest: Duration, longest: Duration) -> Duration {
        let mut random = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        random.random_range(shortest..=longest)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    impl Jitter {
        pub(crate) fn seeded(seed: u64) -> Self {
            Self::new(SmallRng::seed_from_u64(seed))
        }
    }
}
