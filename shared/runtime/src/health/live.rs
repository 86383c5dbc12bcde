//! Liveness: a loop that must keep turning.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The pulse of one loop: it beats at every iteration, and has stopped when it has not for `limit`.
///
/// Clones share the pulse.
#[derive(Debug, Clone)]
pub(crate) struct Pulse {
    name: &'static str,
    limit: Duration,
    last: Arc<Mutex<Instant>>,
}

impl Pulse {
    /// Begins with a beat.
    pub(crate) fn new(name: &'static str, limit: Duration) -> Self {
        Self { name, limit, last: Arc::new(Mutex::new(Instant::now())) }
    }

    /// The loop has done an iteration.
    pub(crate) fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether the loop still runs.
    pub(crate) fn beats(&self) -> bool {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed() <= self.limit
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}
