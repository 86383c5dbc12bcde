//! What can go wrong between a consumer and its queue.

use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};

use tokio::time::sleep;

use super::dice::Dice;

/// How often what goes wrong, in percent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rates {
    /// A call fails; half of the failed calls took effect.
    pub(super) call: u32,
    /// An entry of a batch fails; half of the failed entries took effect.
    pub(super) entry: u32,
    /// An entry is answered as done and is not.
    pub(super) lie: u32,
    /// A message is handed out and not invisible, as a standard queue may.
    pub(super) duplicate: u32,
    /// Longest way there, and back, in milliseconds.
    pub(super) latency: u64,
}

/// What becomes of a call or an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallOutcome {
    Done,
    /// Answered with a failure.
    Fails {
        done: bool,
    },
    /// Answered as done.
    Lies,
}

/// The faults of one queue.
pub(super) struct Faults {
    dice: Dice,
    rates: Rates,
    ceased: AtomicBool,
}

impl Faults {
    pub(super) fn new(rates: Rates, seed: u64) -> Self {
        Self { dice: Dice::new(seed), rates, ceased: AtomicBool::new(false) }
    }

    /// From now on nothing fails.
    pub(super) fn cease(&self) {
        self.ceased.store(true, SeqCst);
    }

    /// One way between the consumer and the queue.
    pub(super) async fn way(&self) {
        if self.rates.latency > 0 {
            sleep(self.dice.millis(1..=self.rates.latency)).await;
        }
    }

    pub(super) fn call(&self) -> CallOutcome {
        if self.happens(self.rates.call) { self.failure() } else { CallOutcome::Done }
    }

    pub(super) fn entry(&self) -> CallOutcome {
        if self.happens(self.rates.entry) {
            self.failure()
        } else if self.happens(self.rates.lie) {
            CallOutcome::Lies
        } else {
            CallOutcome::Done
        }
    }

    /// For how long a message stays invisible that should be invisible for `visibility`.
    pub(super) fn visibility(&self, visibility: Duration) -> Duration {
        if self.happens(self.rates.duplicate) { self.dice.millis(0..=2_000) } else { visibility }
    }

    /// Whether groups come in any order.
    pub(super) fn shuffle(&self) -> bool {
        self.rates.latency > 0
    }

    /// With which of so many groups to begin.
    pub(super) fn start(&self, count: usize) -> usize {
        if count == 0 { 0 } else { usize::from(self.dice.number(0..=u16::MAX)) % count }
    }

    fn failure(&self) -> CallOutcome {
        CallOutcome::Fails { done: self.dice.chance(50) }
    }

    fn happens(&self, percent: u32) -> bool {
        percent > 0 && !self.ceased.load(SeqCst) && self.dice.chance(percent)
    }
}

impl CallOutcome {
    pub(super) fn is_done(self) -> bool {
        matches!(self, Self::Done | Self::Fails { done: true })
    }

    pub(super) fn is_failure(self) -> bool {
        matches!(self, Self::Fails { .. })
    }
}
