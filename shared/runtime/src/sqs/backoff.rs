//! When to try again: exponential backoff with full jitter.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rand::{RngExt as _, rngs::SmallRng};

use super::Config;

/// SQS allows twelve hours, counted from the receive, which was a while ago.
const LONGEST: Duration = Duration::from_hours(11);

/// Waits before redelivery.
pub(crate) struct Backoff {
    base: Duration,
    longest: Duration,
    random: Mutex<SmallRng>,
}

impl Backoff {
    /// `random` is passed in so that a test can repeat its choices.
    pub(crate) fn new(config: &Config, random: SmallRng) -> Self {
        Self {
            base: Duration::from_millis(config.backoff_base_ms.into()),
            longest: Duration::from_secs(config.backoff_max_seconds.into()),
            random: Mutex::new(random),
        }
    }

    /// Seconds before a message that was delivered `deliveries` times is delivered again: a
    /// [`wait`](Self::wait), never zero, for SQS knows whole seconds only.
    pub(crate) fn seconds(&self, deliveries: u32) -> i32 {
        whole_seconds(self.wait(deliveries)).max(1)
    }

    /// Uniform up to `base` doubled per delivery.
    pub(crate) fn wait(&self, deliveries: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(deliveries.saturating_sub(1));
        self.between(Duration::ZERO, self.base.saturating_mul(doubled).min(self.longest))
    }

    /// Uniform, the bounds included.
    pub(crate) fn between(&self, shortest: Duration, longest: Duration) -> Duration {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        random.random_range(shortest..=longest)
    }
}

/// A wait as SQS takes it: rounded up, and within its limit.
pub(crate) fn whole_seconds(wait: Duration) -> i32 {
    let rounded = wait.min(LONGEST).as_millis().div_ceil(1_000);
    i32::try_from(rounded).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng as _;

    fn backoff(base_ms: u32, max_seconds: u16, seed: u64) -> Backoff {
        let config = Config {
            backoff_base_ms: base_ms,
            backoff_max_seconds: max_seconds,
            ..Config::for_test()
        };
        Backoff::new(&config, SmallRng::seed_from_u64(seed))
    }

    proptest! {
        #[test]
        fn stays_within_its_bounds(
            base_ms in 1..3_600_000_u32, max in 1..=39_600_u16,
            deliveries in 0..=u32::MAX, seed: u64,
        ) {
            let seconds = backoff(base_ms, max, seed).seconds(deliveries);
            prop_assert!((1..=i32::from(max)).contains(&seconds));
        }

        #[test]
        fn an_asked_for_wait_is_rounded_up_and_limited(millis in 0..=u64::MAX) {
            let seconds = u64::try_from(whole_seconds(Duration::from_millis(millis))).unwrap();
            prop_assert_eq!(seconds, millis.div_ceil(1_000).min(LONGEST.as_secs()));
        }
    }

    #[test]
    fn doubles_and_spreads() {
        let backoff = backoff(1_000, 300, 7);
        let waits: Vec<_> = (0..1_000).map(|_| backoff.seconds(5)).collect();
        assert!(waits.iter().all(|wait| (1..=16).contains(wait)));
        assert!((1..=16).all(|second| waits.contains(&second)), "full jitter uses the whole range");
    }

    #[test]
    fn the_same_seed_chooses_the_same() {
        let waits = |seed| {
            let backoff = backoff(1_000, 300, seed);
            (1..20).map(|deliveries| backoff.seconds(deliveries)).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }
}
