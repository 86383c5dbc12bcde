//! When to try again: exponential backoff with full jitter; and, apart from that, what waits for a
//! dependency that is unavailable.

use std::time::Duration;

use crate::{
    backoff::{Jitter, exponential},
    sqs::Config,
};

/// SQS allows twelve hours, counted from the receive, which was a while ago.
const LONGEST: Duration = Duration::from_hours(11);

/// Waits before redelivery.
pub(crate) struct Backoff {
    base: Duration,
    longest: Duration,
    unavailable: Unavailable,
    jitter: Jitter,
}

/// How a message waits when a dependency is unavailable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unavailable {
    longest: Duration,
    /// Whether the time since the receive is a part of the wait.
    from_receive: bool,
}

impl Unavailable {
    /// In a pod a message is received again only once the breaker lets it, so a wait only delays what
    /// it holds: together with the pause between two probes it stays below a minute.
    pub(crate) const IN_A_POD: Self =
        Self { longest: Duration::from_secs(40), from_receive: false };
    /// A Lambda cannot stop its mapping, so waits must outlast the outage: nine of them, the first one
    /// shorter, take more than fifteen minutes, with [`MAX_RECEIVE_COUNT`](crate::sqs::MAX_RECEIVE_COUNT).
    /// They count from the receive: a handler that hung until just before the dependency's return
    /// has waited already.
    pub(crate) const IN_A_LAMBDA: Self =
        Self { longest: Duration::from_mins(2), from_receive: true };
}

impl Backoff {
    pub(crate) fn new(config: &Config, unavailable: Unavailable, jitter: Jitter) -> Self {
        Self {
            base: Duration::from_millis(config.backoff_base_ms.into()),
            longest: Duration::from_secs(config.backoff_max_seconds.into()),
            unavailable,
            jitter,
        }
    }

    /// Seconds before a message that was delivered `deliveries` times is delivered again: a
    /// [`wait`](Self::wait), never zero, for SQS knows whole seconds only.
    pub(crate) fn seconds(&self, deliveries: u32) -> i32 {
        whole_seconds(self.wait(deliveries)).max(1)
    }

    /// Uniform up to `base` doubled per delivery.
    pub(crate) fn wait(&self, deliveries: u32) -> Duration {
        let longest = exponential(self.base, deliveries.saturating_sub(1), self.longest);
        self.jitter.between(Duration::ZERO, longest)
    }

    /// Seconds before a message that was delivered `deliveries` times, the last time `since_receive`
    /// ago, and failed because a dependency is unavailable, is delivered again. Short after the first
    /// delivery, for most outages are; then nearly as long as may be, with just enough jitter that
    /// messages do not come back all at once.
    pub(crate) fn unavailable_seconds(&self, deliveries: u32, since_receive: Duration) -> i32 {
        let Unavailable { longest, from_receive } = self.unavailable;
        let wait = if deliveries <= 1 {
            self.jitter.between(longest / 6, longest / 4)
        } else {
            self.jitter.between(longest / 15 * 14, longest)
        };
        let waited = if from_receive { since_receive } else { Duration::ZERO };
        whole_seconds(wait.saturating_sub(waited)).max(1)
    }
}

/// A wait as SQS takes it: rounded up, and within its limit.
pub(crate) fn whole_seconds(wait: Duration) -> i32 {
    let rounded = wait.min(LONGEST).as_millis().div_ceil(1_000);
    i32::try_from(rounded).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sqs::MAX_RECEIVE_COUNT;

    fn backoff(base_ms: u32, max_seconds: u16, seed: u64) -> Backoff {
        let config = Config {
            backoff_base_ms: base_ms,
            backoff_max_seconds: max_seconds,
            ..Config::for_test()
        };
        Backoff::new(&config, Unavailable::IN_A_LAMBDA, Jitter::seeded(seed))
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
        fn a_given_wait_is_rounded_up_and_limited(millis in 0..=u64::MAX) {
            let seconds = u64::try_from(whole_seconds(Duration::from_millis(millis))).unwrap();
            prop_assert_eq!(seconds, millis.div_ceil(1_000).min(LONGEST.as_secs()));
        }
    }

    #[test]
    fn the_waits_of_a_lambda_outlast_a_quarter_of_an_hour() {
        for seed in 0..1_000 {
            let backoff = backoff(1, 1, seed);
            let wait = |count| backoff.unavailable_seconds(count, Duration::ZERO);
            let waits: Vec<_> = (1..u32::from(MAX_RECEIVE_COUNT)).map(wait).collect();
            assert!(waits.iter().sum::<i32>() >= 15 * 60, "{waits:?}");
            assert!(waits.iter().all(|wait| (20..=120).contains(wait)), "{waits:?}");
        }
    }

    #[test]
    fn what_hung_in_a_lambda_has_waited_already() {
        for seed in 0..1_000 {
            let backoff = backoff(1, 1, seed);
            let wait = backoff.unavailable_seconds(2, Duration::from_secs(30));
            assert!((82..=90).contains(&wait), "{wait}");
            assert_eq!(backoff.unavailable_seconds(2, Duration::from_mins(14)), 1);
        }
    }

    #[test]
    fn doubles_and_spreads() {
        let backoff = backoff(1_000, 300, 7);
        let waits: Vec<_> = (0..1_000).map(|_| backoff.seconds(5)).collect();
        assert!(waits.iter().all(|wait| (1..=16).contains(wait)));
        assert!(
            (1..=16).all(|second| waits.contains(&second)),
            "full jitter uses all of its range"
        );
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
