//! The circuit breaker: while Redis does not answer, requests do not wait for it.
//!
//! Closed, every request goes through. It opens after several failures in a row that last for a
//! while: one slow answer, and all requests that waited behind it, are one moment and open nothing.
//! Open, requests do without Redis. After a backoff it is half-open: one request is the probe, and
//! its answer closes the breaker or opens it for longer.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row that open it, if they last for [`FAILURE_SPAN`].
const FAILURES: u32 = 5;
/// Longer than the pauses of a server that works: a slow script, a fork, a full event loop.
const FAILURE_SPAN: Duration = Duration::from_millis(300);
/// How long it stays open at first; doubled after each failed probe, with jitter.
const BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(4);

/// Counts what became of requests. It begins closed.
#[derive(Debug)]
pub(crate) struct CircuitBreaker(Mutex<State>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// With the failures since the last answer, and when the first of them was.
    Closed { failures: Option<(u32, Instant)> },
    /// Requests do without, until then. One of those that come later is the probe.
    Open { until: Instant, backoff: Duration },
    /// A probe is under way. Without a result until then, its request was given up, and
    /// another one may be the probe.
    HalfOpen { until: Instant, backoff: Duration },
}

/// What an answer, or its absence, changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing.
    None,
    /// It was closed and is open now.
    Opened,
    /// The probe failed: it is open again.
    Reopened,
    /// It is closed again.
    Closed,
}

impl CircuitBreaker {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State::Closed { failures: None }))
    }

    /// Whether a request may be sent. If it is the probe, its outcome is expected within `limit`.
    pub(crate) fn admits(&self, limit: Duration) -> bool {
        let (mut state, now) = (self.state(), Instant::now());
        match *state {
            State::Closed { .. } => true,
            State::Open { until, .. } | State::HalfOpen { until, .. } if now < until => false,
            State::Open { backoff, .. } | State::HalfOpen { backoff, .. } => {
                *state = State::HalfOpen { until: now + limit * 2, backoff };
                true
            }
        }
    }

    /// Redis answered a request.
    pub(crate) fn succeeded(&self) -> Change {
        let before = std::mem::replace(&mut *self.state(), State::Closed { failures: None });
        if matches!(before, State::Closed { .. }) { Change::None } else { Change::Closed }
    }

    /// A request had no answer, or one that says that Redis does not work.
    pub(crate) fn failed(&self) -> Change {
        let (mut state, now) = (self.state(), Instant::now());
        match *state {
            State::Closed { failures } => {
                let (count, since) = failures.map_or((1, now), |(count, at)| (count + 1, at));
                if count < FAILURES || now - since < FAILURE_SPAN {
                    *state = State::Closed { failures: Some((count, since)) };
                    return Change::None;
                }
                *state = State::open(now, BACKOFF);
                Change::Opened
            }
            // A request that was sent before it opened.
            State::Open { .. } => Change::None,
            State::HalfOpen { backoff, .. } => {
                *state = State::open(now, LONGEST_BACKOFF.min(backoff * 2));
                Change::Reopened
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// With jitter, so that many processes do not probe at once.
    fn open(now: Instant, backoff: Duration) -> Self {
        Self::Open { until: now + rand::random_range(backoff / 2..=backoff), backoff }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);

    async fn opened() -> CircuitBreaker {
        let breaker = CircuitBreaker::new();
        for _ in 0..FAILURES {
            assert!(breaker.admits(LIMIT));
            assert_eq!(breaker.failed(), Change::None);
            advance(FAILURE_SPAN / FAILURES).await;
        }
        assert_eq!(breaker.failed(), Change::Opened);
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn one_slow_answer_opens_nothing_however_many_wait_for_it() {
        let breaker = CircuitBreaker::new();
        for _ in 0..100 {
            for _ in 0..1_000 {
                assert_eq!(breaker.failed(), Change::None);
            }
            advance(FAILURE_SPAN / 2).await;
            assert!(breaker.admits(LIMIT));
            assert_eq!(breaker.succeeded(), Change::None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn few_failures_open_nothing_however_far_apart() {
        let breaker = CircuitBreaker::new();
        for _ in 1..FAILURES {
            assert_eq!(breaker.failed(), Change::None);
            advance(FAILURE_SPAN * 10).await;
        }
        assert!(breaker.admits(LIMIT));
    }

    #[tokio::test(start_paused = true)]
    async fn open_it_admits_nobody_and_half_open_one() {
        let breaker = opened().await;
        assert!(!breaker.admits(LIMIT));
        assert_eq!(breaker.failed(), Change::None, "one of before");
        advance(BACKOFF).await;
        assert!(breaker.admits(LIMIT), "the probe");
        assert!(!breaker.admits(LIMIT));
        assert_eq!(breaker.succeeded(), Change::Closed);
        assert!(breaker.admits(LIMIT) && breaker.admits(LIMIT));
    }

    #[tokio::test(start_paused = true)]
    async fn each_failed_probe_makes_the_next_one_later_up_to_a_bound() {
        let breaker = opened().await;
        let mut backoff = BACKOFF;
        for _ in 0..10 {
            advance(backoff).await;
            assert!(breaker.admits(LIMIT));
            assert_eq!(breaker.failed(), Change::Reopened);
            backoff = LONGEST_BACKOFF.min(backoff * 2);
            advance(backoff / 3).await;
            assert!(!breaker.admits(LIMIT), "{backoff:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_was_given_up_is_followed_by_another() {
        let breaker = opened().await;
        advance(BACKOFF).await;
        assert!(breaker.admits(LIMIT));
        advance(LIMIT * 2).await;
        assert!(breaker.admits(LIMIT));
        assert!(!breaker.admits(LIMIT));
    }
}
