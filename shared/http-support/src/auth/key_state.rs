//! What is known of the issuer's keys, and for how long that is good.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use tokio::time::Instant;

use super::keys::KeySet;
use super::verified::Verified;

/// When the keys are fetched, and how long they are used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// Age at which they are fetched again.
    pub(super) refresh_after: Duration,
    /// Age at which they are not used any more, although the issuer gives no others.
    pub(super) max_age: Duration,
    /// Shortest pause between two attempts.
    pub(super) pause: Duration,
    /// The same while there are no keys and nobody can be let in.
    pub(super) pause_without_keys: Duration,
    /// Longest time that a request waits for an attempt.
    pub(super) wait: Duration,
}

impl Schedule {
    pub(super) fn new(max_age: Duration) -> Self {
        Self {
            refresh_after: Duration::from_mins(5),
            max_age,
            pause: Duration::from_secs(10),
            pause_without_keys: Duration::from_secs(1),
            wait: Duration::from_secs(3),
        }
    }
}

/// What is known of the keys at a time.
#[derive(Clone, Default)]
pub(super) struct State {
    /// Of the last attempt that succeeded.
    pub(super) cached: Option<Arc<Cached>>,
    /// When the attempt that is under way began.
    pub(super) running: Option<Instant>,
    /// When the last attempt ended, and why it failed.
    pub(super) ended: Option<Ended>,
}

#[derive(Clone)]
pub(super) struct Ended {
    pub(super) at: Instant,
    failure: Option<Arc<str>>,
}

/// The keys of one fetch, and what they verified.
pub(super) struct Cached {
    pub(super) keys: KeySet,
    pub(super) verified: Verified,
    pub(super) fetched: Instant,
}

impl State {
    /// Marks the beginning of an attempt.
    pub(super) fn begin(&mut self) {
        self.running = Some(Instant::now());
    }

    /// Marks the end of an attempt; one that failed leaves the keys as they were.
    pub(super) fn end(&mut self, result: Result<KeySet, Arc<str>>) {
        let at = Instant::now();
        self.running = None;
        self.ended = Some(Ended { at, failure: result.as_ref().err().cloned() });
        if let Ok(keys) = result {
            self.cached = Some(Arc::new(Cached { keys, verified: Verified::new(), fetched: at }));
        }
    }

    pub(super) fn pause(&self, schedule: &Schedule) -> Duration {
        if self.cached.is_some() { schedule.pause } else { schedule.pause_without_keys }
    }

    /// Whether the last attempt ended a short while ago.
    pub(super) fn is_pausing(&self, schedule: &Schedule) -> bool {
        let ended = self.ended.as_ref();
        ended.is_some_and(|ended| ended.at.elapsed() < self.pause(schedule))
    }

    pub(super) fn usable(&self, schedule: &Schedule) -> Option<Arc<Cached>> {
        self.cached.clone().filter(|cached| cached.fetched.elapsed() < schedule.max_age)
    }

    pub(super) fn cause(&self, what: &str) -> anyhow::Error {
        let cause = self.ended.as_ref().and_then(|ended| ended.failure.as_deref());
        anyhow!("{what}: {}", cause.unwrap_or("it has not answered yet"))
    }

    /// Whether the keys should have been fetched again long ago, and no attempt has failed since: the
    /// process was frozen.
    pub(super) fn is_overdue(&self, schedule: &Schedule) -> bool {
        let has_failed = self.ended.as_ref().is_some_and(|ended| ended.failure.is_some());
        let is_old = |cached: &Arc<Cached>| cached.fetched.elapsed() > 2 * schedule.refresh_after;
        !has_failed && self.cached.as_ref().is_some_and(is_old)
    }
}
