//! Random times that a test can repeat.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::{RngExt as _, rngs::SmallRng};

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
