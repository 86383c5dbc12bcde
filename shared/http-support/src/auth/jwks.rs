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

use jsonwebtoken::Validation;
use reqwest::Url;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use super::key_state::{Cached, Schedule, State};
use super::refresh::Refresh;
use super::verified::Reading;

/// The keys of one issuer. Shared by all requests.
pub(super) struct Jwks {
    schedule: Schedule,
    state: watch::Receiver<State>,
    wanted: Arc<Notify>,
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

    /// What a token says that was verified with the present keys and holds at `now`, in seconds since 1970.
    pub(super) fn verified(&self, token: &str, now: u64) -> Option<Reading> {
        self.at_hand()?.verified.get(token, now)
    }

    /// The keys that can be used without waiting for the issuer.
    fn at_hand(&self) -> Option<Arc<Cached>> {
        let state = self.state.borrow();
        state.usable(&self.schedule).filter(|_| !state.is_overdue(&self.schedule))
    }

    /// The keys to verify with.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) async fn current(&self) -> anyhow::Result<Arc<Cached>> {
        if let Some(cached) = self.at_hand() {
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
