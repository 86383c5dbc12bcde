//! The cache of the issuer's keys.
//!
//! Requests must not depend on the issuer being up, nor may requests, forged ones among them,
//! become a load on it. So keys are fetched when first needed, by one request at a time, with a
//! pause between attempts, and the last good ones stay in use while the issuer is away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::Validation;
use reqwest::Url;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use super::fetch::fetch;
use super::keys::KeySet;
use super::verified::Verified;

/// How often the issuer is asked.
pub(super) struct Pace {
    /// Age from which keys are fetched again.
    pub(super) max_age: Duration,
    /// Shortest pause between attempts, while there are keys to work with.
    pub(super) pause: Duration,
    /// The same while there are none and nobody can be let in.
    pub(super) pause_without_keys: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            max_age: Duration::from_mins(5),
            pause: Duration::from_secs(10),
            pause_without_keys: Duration::from_secs(1),
        }
    }
}

/// The keys of one issuer. Shared by all requests.
pub(super) struct Jwks {
    url: Url,
    rules: Validation,
    pace: Pace,
    cached: RwLock<Option<Arc<Cached>>>,
    /// The last attempt failed.
    failing: AtomicBool,
    /// Held by the one attempt that is under way; holds when the last one ended.
    attempt: Arc<Mutex<Option<Instant>>>,
}

/// The keys of one fetch, and what they verified.
pub(super) struct Cached {
    pub(super) keys: KeySet,
    pub(super) verified: Verified,
    fetched: Instant,
}

type Attempt = OwnedMutexGuard<Option<Instant>>;

impl Jwks {
    /// Nothing is fetched yet. `rules` apply to every token.
    pub(super) fn new(url: Url, rules: Validation, pace: Pace) -> Self {
        let (cached, failing, attempt) = Default::default();
        Self { url, rules, pace, cached, failing, attempt }
    }

    /// The keys to verify with; `None` if the issuer was never reached.
    ///
    /// Old keys wait for new ones as long as the issuer answers. Once it does not, they stay in
    /// use and the attempts go on beside the requests.
    pub(super) async fn current(self: &Arc<Self>) -> Option<Arc<Cached>> {
        let cached = self.cached();
        match &cached {
            Some(keys) if keys.fetched.elapsed() < self.pace.max_age => cached,
            Some(_) if self.failing.load(Ordering::Relaxed) => {
                self.refresh_aside();
                cached
            }
            _ => self.newer_than(cached.as_ref()).await,
        }
    }

    /// Newer keys than those that were seen, or the same if the issuer has no others or was asked
    /// a short while ago.
    pub(super) async fn newer_than(
        self: &Arc<Self>,
        seen: Option<&Arc<Cached>>,
    ) -> Option<Arc<Cached>> {
        let attempt = Arc::clone(&self.attempt).lock_owned().await;
        let fetched_meanwhile =
            self.cached().map(|keys| keys.fetched) != seen.map(|keys| keys.fetched);
        if !fetched_meanwhile && self.is_due(&attempt) {
            // In a task of its own: a caller who hangs up must not cancel it for the others. If
            // it panics, the keys stay as they are.
            _ = tokio::spawn(Arc::clone(self).refresh(attempt)).await;
        }
        self.cached()
    }

    fn refresh_aside(self: &Arc<Self>) {
        if let Ok(attempt) = Arc::clone(&self.attempt).try_lock_owned()
            && self.is_due(&attempt)
        {
            tokio::spawn(Arc::clone(self).refresh(attempt));
        }
    }

    fn is_due(&self, attempt: &Attempt) -> bool {
        let pause = match self.cached() {
            Some(_) => self.pace.pause,
            None => self.pace.pause_without_keys,
        };
        attempt.is_none_or(|last| last.elapsed() >= pause)
    }

    async fn refresh(self: Arc<Self>, mut attempt: Attempt) {
        let result = fetch(&self.url, &self.rules).await;
        self.failing.store(result.is_err(), Ordering::Relaxed);
        match result {
            Ok(keys) => {
                tracing::debug!(keys = keys.len(), "fetched the issuer's keys");
                let (verified, fetched) = (Verified::new(), Instant::now());
                let cached = Arc::new(Cached { keys, verified, fetched });
                *self.cached.write().unwrap_or_else(PoisonError::into_inner) = Some(cached);
            }
            Err(error) => {
                let error = format!("{:#}", anyhow::Error::from(error));
                tracing::warn!(error, "could not fetch the issuer's keys: {error}");
            }
        }
        *attempt = Some(Instant::now());
    }

    fn cached(&self) -> Option<Arc<Cached>> {
        self.cached.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
