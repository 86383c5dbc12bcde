//! What ends the handling of messages besides their handler: time, and a shutdown.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{shutdown::Stop, sqs::receive::circuit_breaker::Receiving};

/// The bounds of one batch's handling.
pub(crate) struct Bounds {
    begun: Instant,
    /// A handler's own limit, for each call.
    timeout: Duration,
    /// When the invocation ends that brought the batch. A pod has none.
    until: Option<Instant>,
    /// Dropped when one of the batch's messages waits for its trial.
    receiving: Mutex<Option<Receiving>>,
    pub(crate) stop: Stop,
}

/// The bound of one call of the handler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) at: Instant,
    /// Whether a handler that is cut off then had its time. If not, its messages are not at fault.
    pub(crate) fair: bool,
}

impl Bounds {
    /// In a pod.
    pub(crate) fn new(timeout: Duration, stop: Stop, receiving: Option<Receiving>) -> Self {
        let receiving = Mutex::new(receiving);
        Self { begun: Instant::now(), timeout, until: None, receiving, stop }
    }

    /// In an invocation that ends at `until`.
    pub(crate) fn of_invocation(timeout: Duration, until: Instant) -> Self {
        Self { until: Some(until), ..Self::new(timeout, Stop::default(), None) }
    }

    /// Whether an invocation's end leaves no time to retry in this process.
    pub(crate) fn is_invocation(&self) -> bool {
        self.until.is_some()
    }

    /// When the invocation ends; never in a pod.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Until when messages are retried in this process that may be for so long: in an invocation not
    /// at all.
    pub(crate) fn retry_until(&self, time: Duration) -> Instant {
        let now = Instant::now();
        if self.is_invocation() { now } else { now + time }
    }

    pub(crate) fn take_receiving(&self) -> Option<Receiving> {
        self.receiving.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The limit of a call that begins now. An invocation's time is halved if messages wait in their sequence
    /// behind the call's: one that hangs must not use up the last delivery of what follows it.
    pub(crate) fn limit(&self, others_wait: bool) -> Limit {
        let now = Instant::now();
        let Some(until) = self.until else { return Limit { at: now + self.timeout, fair: true } };
        let left = until.saturating_duration_since(now);
        let time = self.timeout.min(if others_wait { left / 2 } else { left });
        let most = self.timeout.min(until.saturating_duration_since(self.begun));
        // Half of it, but for the moments since the invocation began.
        Limit { at: now + time, fair: time * 20 >= most * 9 }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn in_a_pod_each_call_has_all_of_its_time() {
        let bounds = Bounds::new(30 * SECOND, Stop::default(), None);
        advance(100 * SECOND).await;
        let limit = bounds.limit(true);
        assert_eq!((limit.at - Instant::now(), limit.fair), (30 * SECOND, true));
    }

    #[tokio::test(start_paused = true)]
    async fn in_an_invocation_time_is_left_for_what_waits_and_too_little_is_nobodys_fault() {
        let bounds = Bounds::of_invocation(30 * SECOND, Instant::now() + 20 * SECOND);
        let time = |others_wait| {
            let limit = bounds.limit(others_wait);
            (limit.at - Instant::now(), limit.fair)
        };
        assert_eq!((time(false), time(true)), ((20 * SECOND, true), (10 * SECOND, true)));
        advance(15 * SECOND).await;
        assert_eq!(time(false), (5 * SECOND, false));
        advance(15 * SECOND).await;
        assert_eq!(time(false), (Duration::ZERO, false));
    }
}
