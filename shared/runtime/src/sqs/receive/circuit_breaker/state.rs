//! The states of a circuit breaker, and who may do what in each.

use std::time::Duration;

use tokio::time::Instant;

use crate::backoff::{Jitter, exponential};

/// Between two probes, or an opening and the first probe: half of this to all of it; it doubles with
/// each probe or trial that failed.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Work resumes this long after a dependency's return, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The breaker's state, and the batches that wait for it.
#[derive(Debug, Default)]
pub(super) struct State {
    phase: Phase,
    pub(super) waiting: usize,
    draining: bool,
}

#[derive(Debug, Default, Clone, Copy)]
enum Phase {
    #[default]
    Closed,
    Open(Outage),
    HalfOpen {
        outage: Outage,
        receiving: bool,
        handling: bool,
    },
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Instant,
    /// Probes and trials that failed.
    failures: u32,
    probe_at: Instant,
}

/// The answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Granted,
    /// As the only one, until it is given back.
    Alone,
    /// Until something has changed.
    Wait,
    /// The consumer drains: nothing will change.
    Refused,
}

impl State {
    /// What the gauge shows.
    pub(super) fn number(&self) -> f64 {
        match self.phase {
            Phase::Closed => 0.0,
            Phase::HalfOpen { .. } => 1.0,
            Phase::Open(_) => 2.0,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    /// A poller's request to receive. While a batch waits for its trial, no other is needed.
    pub(super) fn receive(&mut self) -> Request {
        match &mut self.phase {
            Phase::Closed => Request::Granted,
            Phase::HalfOpen { receiving, handling: false, .. }
                if !*receiving && self.waiting == 0 =>
            {
                *receiving = true;
                Request::Alone
            }
            _ => Request::Wait,
        }
    }

    /// A batch's request to be handled.
    pub(super) fn admit(&mut self) -> Request {
        match &mut self.phase {
            Phase::Closed => Request::Granted,
            _ if self.draining => Request::Refused,
            Phase::HalfOpen { handling, .. } if !*handling => {
                *handling = true;
                Request::Alone
            }
            _ => Request::Wait,
        }
    }

    /// When to probe, while the breaker is open.
    pub(super) fn probe_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::Open(outage) => Some(outage.probe_at),
            _ => None,
        }
    }

    /// A dependency is unavailable. Only a trial says so of a half-open breaker: what was begun
    /// before it opened is old news. Returns whether it was closed.
    pub(super) fn open(&mut self, by_trial: bool, jitter: &Jitter) -> bool {
        let was_closed = matches!(self.phase, Phase::Closed);
        self.phase = match self.phase {
            Phase::Closed => Phase::Open(Outage::begin(jitter)),
            Phase::HalfOpen { outage, .. } if by_trial => Phase::Open(outage.goes_on(jitter)),
            phase => phase,
        };
        was_closed
    }

    /// A probe found a dependency unavailable.
    pub(super) fn probe_failed(&mut self, jitter: &Jitter) {
        if let Phase::Open(outage) = self.phase {
            self.phase = Phase::Open(outage.goes_on(jitter));
        }
    }

    /// All checks pass.
    pub(super) fn half_open(&mut self) {
        if let Phase::Open(outage) = self.phase {
            self.phase = Phase::HalfOpen { outage, receiving: false, handling: false };
        }
    }

    /// The trial succeeded. Returns since when the breaker was open.
    pub(super) fn close(&mut self) -> Option<Instant> {
        let Phase::HalfOpen { outage, .. } = self.phase else { return None };
        self.phase = Phase::Closed;
        Some(outage.since)
    }

    pub(super) fn drain(&mut self) {
        self.draining = true;
    }

    /// Probes and trials that failed in the present outage.
    pub(super) fn failures(&self) -> u32 {
        match self.phase {
            Phase::Closed => 0,
            Phase::Open(outage) | Phase::HalfOpen { outage, .. } => outage.failures,
        }
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining
    }

    pub(super) fn stop_receiving(&mut self) {
        if let Phase::HalfOpen { receiving, .. } = &mut self.phase {
            *receiving = false;
        }
    }

    pub(super) fn stop_handling(&mut self) {
        if let Phase::HalfOpen { handling, .. } = &mut self.phase {
            *handling = false;
        }
    }
}

impl Outage {
    fn begin(jitter: &Jitter) -> Self {
        let now = Instant::now();
        Self { since: now, failures: 0, probe_at: now + pause(0, jitter) }
    }

    fn goes_on(self, jitter: &Jitter) -> Self {
        let failures = self.failures.saturating_add(1);
        Self { failures, probe_at: Instant::now() + pause(failures, jitter), ..self }
    }
}

/// Before the next probe, after so many that failed.
fn pause(failures: u32, jitter: &Jitter) -> Duration {
    let longest = exponential(FIRST_PAUSE, failures, LONGEST_PAUSE);
    jitter.between(longest / 2, longest)
}

/// For how long a batch that failed so often stands back. Longer than the breaker's own pause, so
/// that a batch which fails by itself does not take the trial from others again and again.
pub(super) fn stand_back(failures: u32, jitter: &Jitter) -> Duration {
    let shortest = exponential(FIRST_PAUSE, failures, LONGEST_PAUSE);
    jitter.between(shortest, shortest * 3 / 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn jitter(seed: u64) -> Jitter {
        Jitter::seeded(seed)
    }

    fn half_open() -> State {
        let mut state = State::default();
        state.open(false, &jitter(1));
        state.half_open();
        state
    }

    #[tokio::test]
    async fn one_receives_and_one_is_handled_while_it_is_half_open() {
        let mut state = half_open();
        assert_eq!(state.receive(), Request::Alone);
        assert_eq!(state.receive(), Request::Wait, "one receives");
        assert_eq!(state.admit(), Request::Alone, "what is in hand need not wait for a long poll");
        assert_eq!(state.admit(), Request::Wait, "one is handled");
        state.stop_receiving();
        assert_eq!(state.receive(), Request::Wait, "the trial is enough");
        state.stop_handling();
        assert_eq!(state.receive(), Request::Alone);
    }

    #[tokio::test]
    async fn nothing_is_received_while_a_batch_waits_for_its_trial() {
        let mut state = half_open();
        state.waiting = 1;
        assert_eq!(state.receive(), Request::Wait);
    }

    #[tokio::test]
    async fn while_it_is_open_nothing_is_received_or_handled() {
        let mut state = State::default();
        assert!(state.open(false, &jitter(1)), "it was closed");
        assert!(!state.open(false, &jitter(1)));
        assert_eq!((state.receive(), state.admit()), (Request::Wait, Request::Wait));
        assert!(state.close().is_none(), "only a trial closes it");
        state.drain();
        assert_eq!(state.admit(), Request::Refused);
    }

    #[tokio::test]
    async fn of_a_half_open_breaker_only_the_trial_decides() {
        let mut state = half_open();
        state.open(false, &jitter(1));
        assert!(!state.is_open(), "that batch was begun before");
        state.open(true, &jitter(1));
        assert!(state.is_open());
        state.half_open();
        assert!(state.close().is_some());
        assert_eq!(state.receive(), Request::Granted);
    }

    proptest! {
        #[test]
        fn pauses_double_within_their_bounds(failures: u32, seed: u64) {
            let most = FIRST_PAUSE * (1 << failures.min(4));
            let most = most.min(LONGEST_PAUSE);
            let pause = pause(failures, &jitter(seed));
            prop_assert!((most / 2..=most).contains(&pause), "{pause:?}");
            let stand_back = stand_back(failures, &jitter(seed));
            prop_assert!((most..=most * 3 / 2).contains(&stand_back), "{stand_back:?}");
        }
    }
}
