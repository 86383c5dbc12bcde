//! Which connections may still be used: those of the newest generation.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// When the newest generation began; `None` while all connections are of the first.
#[derive(Debug, Default)]
pub(super) struct Generation(Mutex<Option<Instant>>);

impl Generation {
    /// Begins a new generation, because a connection failed that was taken at `taken`. If one began
    /// since, that failure is accounted for: the connections that were made meanwhile stay.
    pub(super) fn renew(&self, taken: Instant) {
        let mut began = self.began();
        if began.is_none_or(|began| began < taken) {
            *began = Some(Instant::now());
        }
    }

    /// Whether a connection of this age is of the newest generation.
    pub(super) fn includes(&self, age: Duration) -> bool {
        self.began().is_none_or(|began| began.elapsed() >= age)
    }

    fn began(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_ends_the_connections_that_were_made_before() {
        let generation = Generation::default();
        assert!(generation.includes(Duration::from_hours(24)));
        generation.renew(Instant::now());
        assert!(!generation.includes(Duration::from_hours(24)));
        assert!(generation.includes(Duration::ZERO));
    }

    #[test]
    fn a_failure_of_a_connection_from_before_ends_no_newer_ones() {
        let generation = Generation::default();
        let before = Instant::now();
        generation.renew(Instant::now());
        let began = *generation.began();
        generation.renew(before);
        assert_eq!(*generation.began(), began);
    }
}
