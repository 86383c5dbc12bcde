//! The task that fetches the issuer's keys for all requests.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::Validation;
use metrics::{counter, gauge};
use reqwest::Url;
use runtime::{Clock as _, SystemClock};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::fetch::fetch;
use super::instruments::{FETCHED, FETCHES, INSTRUMENTS};
use super::key_state::{Schedule, State};
use super::keys::KeySet;

/// Longest pause between attempts that fail.
const LONGEST_BACKOFF: Duration = Duration::from_mins(1);

/// What is fetched, and when.
pub(super) struct Refresh {
    pub(super) url: Url,
    pub(super) rules: Validation,
    pub(super) schedule: Schedule,
    /// Notified by a request that needs newer keys.
    pub(super) wanted: Arc<Notify>,
}

impl Refresh {
    /// Fetches until nobody reads the state any more.
    pub(super) async fn run(self, state: watch::Sender<State>) {
        instruments::describe(INSTRUMENTS);
        tokio::select! {
            () = state.closed() => {}
            () = self.attempts(&state) => {}
        }
    }

    async fn attempts(&self, state: &watch::Sender<State>) {
        let mut backoff = Duration::ZERO;
        loop {
            state.send_modify(State::begin);
            let result = self.attempt().await;
            let has_failed = result.is_err();
            state.send_modify(|state| state.end(result));
            let pause = state.borrow().pause(&self.schedule);
            sleep(pause).await;
            backoff = if has_failed {
                (2 * backoff).clamp(pause, LONGEST_BACKOFF.max(pause))
            } else {
                Duration::ZERO
            };
            let interval = if has_failed { backoff } else { self.schedule.refresh_after };
            let _ = timeout(interval.saturating_sub(pause), self.wanted.notified()).await;
        }
    }

    async fn attempt(&self) -> Result<KeySet, Arc<str>> {
        let (url, rules) = (self.url.clone(), self.rules.clone());
        // In a task of its own: a panic is a failed attempt, and no more.
        let fetched = tokio::spawn(async move { fetch(&url, &rules).await }).await;
        let failure = match fetched {
            Ok(Ok(keys)) => {
                tracing::debug!(keys = keys.len(), "fetched the issuer's keys");
                counter!(FETCHES.name, "result" => "ok").increment(1);
                let now = SystemTime::from(SystemClock.now());
                let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
                gauge!(FETCHED.name).set(now.as_secs_f64());
                return Ok(keys);
            }
            Ok(Err(error)) => format!("{:#}", anyhow::Error::from(error)),
            Err(error) => error.to_string(),
        };
        counter!(FETCHES.name, "result" => "failed").increment(1);
        tracing::warn!(error = failure, "could not fetch the issuer's keys");
        Err(failure.into())
    }
}
