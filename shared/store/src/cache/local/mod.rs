//! Copies of tasks in this very process, before Redis.
//!
//! A copy is what Redis holds, is used for no longer than Redis would hold it, and only while the
//! [`InvalidationListener`](super::InvalidationListener) is connected. A reader that finds no entry
//! loads it; others that want the same entry meanwhile wait for that answer, so that what
//! expires under many readers is loaded once. An invalidation cancels the loading entry, too: an
//! answer that was on its way then reaches those that wait and is not kept.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::Version;
use quick_cache::Weighter;
use quick_cache::sync::{Cache, PlaceholderGuard};
use tokio::time::{Instant, timeout};

use super::{Source, TaskBody};
use crate::error::ReadError;

/// What counts as one entry; a larger body counts as several. So one number bounds both entries and
/// bytes.
const UNIT_BYTES: u64 = 2_048;

/// For how long others join a load: a later one would wait for an answer that may be as old.
const JOINABLE: Duration = Duration::from_secs(1);

pub(crate) type Answer = Result<Option<TaskBody>, ReadError>;

/// What was found, and for how long it may be kept.
pub(crate) struct Filled {
    pub(crate) answer: Answer,
    pub(crate) source: Source,
    pub(crate) ttl: Option<Duration>,
}

/// The copies. Clones share them.
#[derive(Clone)]
pub(crate) struct Local(Arc<Inner>);

struct Inner {
    entries: Entries,
    begun: Instant,
    /// Until when the copies may be believed, in milliseconds since `begun`.
    trusted_until: AtomicU64,
}

type Entries = Cache<String, Entry, ByUnits>;
type Place<'a> = PlaceholderGuard<
    'a,
    String,
    Entry,
    ByUnits,
    quick_cache::DefaultHashBuilder,
    quick_cache::sync::DefaultLifecycle<String, Entry>,
>;

#[derive(Clone)]
struct Entry {
    answer: Answer,
    /// `None`: for those who wait, and not to be kept.
    until: Option<Instant>,
}

#[derive(Clone)]
struct ByUnits;

impl Weighter<String, Entry> for ByUnits {
    /// What is heavier than the whole cache is not kept.
    fn weight(&self, _: &String, entry: &Entry) -> u64 {
        match (&entry.answer, entry.until) {
            (Ok(Some(task)), Some(_)) => {
                u64::try_from(task.json.len()).map_or(u64::MAX, |len| len.div_ceil(UNIT_BYTES))
            }
            (Ok(None), Some(_)) => 1,
            _ => u64::MAX,
        }
    }
}

impl Local {
    /// Keeps so many tasks at most; with none, it only shares concurrent loads.
    pub(crate) fn new(entries: u32) -> Self {
        let capacity = usize::try_from(entries).unwrap_or(usize::MAX);
        let entries = Cache::with_weighter(capacity, entries.into(), ByUnits);
        Self(Arc::new(Inner { entries, begun: Instant::now(), trusted_until: AtomicU64::new(0) }))
    }

    /// The answer that is kept, or that somebody is loading, or that `load` gives.
    pub(crate) async fn get(
        &self,
        key: &str,
        load: impl Future<Output = Filled>,
    ) -> (Answer, Source) {
        let entries = &self.0.entries;
        // An entry that has just expired is removed; another one of that kind is a rarity.
        for _ in 0..2 {
            match entries.get_value_or_guard_async(key).await {
                Ok(entry) if self.is_good(&entry) => return (entry.answer, Source::Local),
                Ok(_) => drop(entries.remove_if(key, |entry| !self.is_good(entry))),
                Err(place) => return self.fill(key, place, load).await,
            }
        }
        let filled = load.await;
        (filled.answer, filled.source)
    }

    /// To be dropped in between is fine: the next of those who wait takes over.
    async fn fill(
        &self,
        key: &str,
        place: Place<'_>,
        load: impl Future<Output = Filled>,
    ) -> (Answer, Source) {
        let mut load = pin!(load);
        let filled = if let Ok(filled) = timeout(JOINABLE, &mut load).await {
            filled
        } else {
            self.remove(key);
            load.await
        };
        let now = Instant::now();
        let until = filled.ttl.map(|ttl| now + ttl).filter(|_| self.is_trusted(now));
        // Those that wait have it now. An error says that the entry was invalidated.
        let _ = place.insert(Entry { answer: filled.answer.clone(), until });
        (filled.answer, filled.source)
    }

    /// The entry was changed.
    pub(crate) fn remove(&self, key: &str) {
        self.0.entries.remove(key);
    }

    /// There is a later version than that, if this is an earlier one.
    pub(crate) fn remove_older(&self, key: &str, version: Version) {
        let is_older = |entry: &Entry| match &entry.answer {
            Ok(Some(task)) => task.version < version,
            Ok(None) | Err(_) => true,
        };
        self.0.entries.remove_if(key, is_older);
    }

    /// Anything may have changed.
    pub(crate) fn clear(&self) {
        self.0.entries.clear();
    }

    /// Invalidations arrive; copies may be used until then.
    pub(crate) fn trust_until(&self, until: Instant) {
        let until = until.saturating_duration_since(self.0.begun).as_millis();
        self.0.trusted_until.store(u64::try_from(until).unwrap_or(0), Ordering::Release);
    }

    /// Invalidations arrive no longer.
    pub(crate) fn distrust(&self) {
        self.0.trusted_until.store(0, Ordering::Release);
        self.clear();
    }

    fn is_trusted(&self, now: Instant) -> bool {
        let now = now.saturating_duration_since(self.0.begun).as_millis();
        now < u128::from(self.0.trusted_until.load(Ordering::Acquire))
    }

    fn is_good(&self, entry: &Entry) -> bool {
        let now = Instant::now();
        entry.until.is_none_or(|until| now < until && self.is_trusted(now))
    }
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Local").field("entries", &self.0.entries.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
