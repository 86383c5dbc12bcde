//! How much the pool is used: whether requests wait for connections, and how many are taken.

use std::time::Duration;

use metrics::{Gauge, Histogram, gauge, histogram};

use crate::instruments::{ACQUIRE, CONNECTIONS_IN_USE, MOST_CONNECTIONS};

/// What is measured of one pool.
#[derive(Clone)]
pub(super) struct Usage {
    in_use: Gauge,
    acquire: Histogram,
}

/// A connection that somebody uses, until it is dropped.
pub(super) struct InUse(Gauge);

impl Usage {
    /// Of a pool with so many connections at most.
    pub(super) fn of(most: u32) -> Self {
        gauge!(MOST_CONNECTIONS.name).set(f64::from(most));
        Self { in_use: gauge!(CONNECTIONS_IN_USE.name), acquire: histogram!(ACQUIRE.name) }
    }

    /// Somebody waited so long for a connection, and has it or not.
    pub(super) fn waited(&self, wait: Duration) {
        self.acquire.record(wait.as_secs_f64());
    }

    /// Somebody has a connection.
    pub(super) fn taken(&self) -> InUse {
        self.in_use.increment(1.0);
        InUse(self.in_use.clone())
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

impl std::fmt::Debug for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Usage").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for InUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("InUse").finish_non_exhaustive()
    }
}
