//! The limits of a listener, and what its connections share.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::activity::Timeouts;
use crate::shutdown::Stop;

/// What one listener's connections may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_connections: u16,
    /// Of a request.
    pub(crate) headers: u16,
    pub(crate) timeouts: Timeouts,
    /// From the shutdown to the last connection that is accepted.
    pub(crate) lame_duck: Duration,
    /// From then to the end of the last connection.
    pub(crate) drain: Duration,
}

/// What all connections of a listener know.
pub(super) struct Shared {
    pub(super) limits: Limits,
    /// Ends every connection at once.
    pub(super) cut_off: CancellationToken,
    is_draining: AtomicBool,
    is_crowded: AtomicBool,
}

impl Shared {
    pub(super) fn new(limits: Limits, stop: &Stop) -> Self {
        Self {
            limits,
            cut_off: stop.cut_off.child_token(),
            is_draining: AtomicBool::new(false),
            is_crowded: AtomicBool::new(false),
        }
    }

    /// Lets each connection end with its next response.
    pub(super) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// Notes whether a connection waits for another one's end.
    pub(super) fn set_crowded(&self, is_crowded: bool) {
        self.is_crowded.store(is_crowded, Ordering::Relaxed);
    }

    /// Whether a connection waits for another one's end.
    pub(super) fn is_crowded(&self) -> bool {
        self.is_crowded.load(Ordering::Relaxed)
    }

    /// Whether a response is the last on its connection.
    pub(super) fn closes_connections(&self) -> bool {
        self.is_crowded() || self.is_draining.load(Ordering::Relaxed)
    }
}
