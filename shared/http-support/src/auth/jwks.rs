//! The issuer's keys, fetched beside the requests.
//!
//! Requests must not depend on the issuer, nor may requests, forged ones among them, become a load on
//! it. So one task fetches the keys: at the start, at intervals, and when a token names an unknown
//! key, with a pause between two attempts. Requests use the last good keys.
//!
//! A request waits for the issuer only if there is nothing to decide with: no key of that name, no
//! keys at all, or keys that a Lambda kept from before it was frozen. All that wait share one attempt,
//! and none waits for longer than [`Schedule::wait`].

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use jsonwebtoken::Validation;
use reqwest::Url;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use super::keys::KeySet;
use super::refresh::Refresh;
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

/// The keys of one issuer. Shared by all requests.
pub(super) struct Jwks {
    schedule: Schedule,
    state: watch::Receiver<State>,
    wanted: Arc<Notify>,
}

/// What is known of the keys at a time.
#[derive(Clone, Default)]
pub(super) struct State {
    /// Of the last attempt that succeeded.
    cached: Option<Arc<Cached>>,
    /// When the attempt that is under way began.
    running: Option<Instant>,
    /// When the last attempt ended, and why it failed.
    ended: Option<Ended>,
}

#[derive(Clone)]
struct Ended {
    at: Instant,
    failure: Option<Arc<str>>,
}

/// The keys of one fetch, and what they verified.
pub(super) struct Cached {
    pub(super) keys: KeySet,
    pub(super) verified: Verified,
    fetched: Instant,
}

impl Jwks {
    /// Begins to fetch. `rules` apply to every token. To be called within tokio.
    pub(super) fn start(url: Url, rules: Validation, schedule: Schedule) -> Self {
        let (sender, state) = watch::channel(State::default());
        let wanted = Arc::new(Notify::new());
        let refresh = Refresh { url, rules, schedule, wanted: Arc::clone(&wanted) };
        tokio::spawn(refresh.run(sender));
        Self { schedule, state, wanted }
    }

    /// The keys to verify with.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) async fn current(&self) -> anyhow::Result<Arc<Cached>> {
        let state = self.state.borrow().clone();
        if let Some(cached) = state.usable(&self.schedule)
            && !state.is_overdue(&self.schedule)
        {
            return Ok(cached);
        }
        let state = self.next_attempt().await;
        let cached = state.usable(&self.schedule);
        cached.ok_or_else(|| state.cause("there are no keys of the issuer"))
    }

    /// The keys of an answer that the issuer gave a short while ago, after one more attempt if need be:
    /// a key that is not among them does not exist.
    ///
    /// # Errors
    /// Why the issuer did not answer.
    pub(super) async fn newest(&self) -> anyhow::Result<Arc<Cached>> {
        let recent = |cached: &Arc<Cached>| cached.fetched.elapsed() < self.schedule.pause;
        let cached = self.state.borrow().cached.clone();
        if let Some(cached) = cached.filter(recent) {
            return Ok(cached);
        }
        let began = Instant::now();
        let state = self.next_attempt().await;
        let newest = state.cached.clone().filter(|new| new.fetched >= began || recent(new));
        newest.ok_or_else(|| state.cause("the issuer does not answer, and the key is unknown"))
    }

    /// Waits for the end of an attempt, unless one ended within the pause or is under way for too long.
    async fn next_attempt(&self) -> State {
        let mut changes = self.state.clone();
        let state = changes.borrow().clone();
        let now = Instant::now();
        if state.running.is_none() && state.is_pausing(&self.schedule) {
            return state;
        }
        self.wanted.notify_one();
        let ended = state.ended.map(|ended| ended.at);
        let is_over = |state: &State| state.ended.as_ref().map(|ended| ended.at) != ended;
        let until = state.running.unwrap_or(now) + self.schedule.wait;
        // Too late, or not: what is known then is the answer.
        let _ = timeout_at(until, changes.wait_for(is_over)).await;
        changes.borrow().clone()
    }
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
    fn is_pausing(&self, schedule: &Schedule) -> bool {
        let ended = self.ended.as_ref();
        ended.is_some_and(|ended| ended.at.elapsed() < self.pause(schedule))
    }

    fn usable(&self, schedule: &Schedule) -> Option<Arc<Cached>> {
        self.cached.clone().filter(|cached| cached.fetched.elapsed() < schedule.max_age)
    }

    fn cause(&self, what: &str) -> anyhow::Error {
        let cause = self.ended.as_ref().and_then(|ended| ended.failure.as_deref());
        anyhow!("{what}: {}", cause.unwrap_or("it has not answered yet"))
    }

    /// Whether the keys should have been fetched again long ago, and no attempt has failed since: the
    /// process was frozen.
    fn is_overdue(&self, schedule: &Schedule) -> bool {
        let has_failed = self.ended.as_ref().is_some_and(|ended| ended.failure.is_some());
        let is_old = |cached: &Arc<Cached>| cached.fetched.elapsed() > 2 * schedule.refresh_after;
        !has_failed && self.cached.as_ref().is_some_and(is_old)
    }
}
