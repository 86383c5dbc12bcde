//! How long the relay waits after a failed cycle: exponentially longer, with full jitter.

use std::time::Duration;

use rand::RngExt as _;
use runtime::backoff::exponential;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// The failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Backoff(u32);

impl Backoff {
    /// Begins anew, after a success.
    pub(crate) fn reset(&mut self) {
        self.0 = 0;
    }

    /// The pause after one more failure.
    pub(crate) fn pause(&mut self, random: &mut impl rand::Rng) -> Duration {
        let longest = exponential(SHORTEST, self.0, LONGEST);
        self.0 = self.0.saturating_add(1);
        random.random_range(SHORTEST..=longest)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_begin_anew() {
        let random = &mut SmallRng::seed_from_u64(1);
        let mut backoff = Backoff::default();
        assert_eq!(backoff.pause(random), SHORTEST);
        let pauses: Vec<_> = (0..100).map(|_| backoff.pause(random)).collect();
        assert!(pauses.iter().all(|pause| (SHORTEST..=LONGEST).contains(pause)));
        assert!(pauses.iter().any(|pause| *pause > LONGEST / 2), "{pauses:?}");
        backoff.reset();
        assert_eq!(backoff.pause(random), SHORTEST);
    }
}
