//! What a connection is doing, and for how long it may.
//!
//! A load balancer keeps an idle connection for its next request, so an idle one may stay for longer
//! than the balancer keeps it; a request that has begun to arrive, and a response that the client
//! does not read, may not. Hyper has one timeout for the first two and none for the third.
//!
//! Changes only store a time. One timer a connection looks at them, and sleeps no longer than the
//! shortest timeout: whatever begins meanwhile cannot be due earlier.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// A client that reads makes more progress within the write timeout.
const LEAST_PROGRESS_BYTES: usize = 8 * 1024;

/// How long a connection may be in each state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// From the first byte of a request's head, or from the connection's beginning, to the last.
    pub(crate) head: Duration,
    /// Between two requests.
    pub(crate) keep_alive: Duration,
    /// For the client to read some more of a response.
    pub(crate) write: Duration,
}

/// Why a connection is closed before its client closes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expired {
    Head,
    KeepAlive,
    Write,
}

/// The activity of one connection. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    blocked: Option<Blocked>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing has arrived yet.
    New,
    /// A request's head arrives.
    Head,
    Serving,
    Idle,
}

/// A response for which the socket has no room.
#[derive(Debug)]
struct Blocked {
    since: Instant,
    written: usize,
}

/// A request that is served until this is dropped.
pub(super) struct Serving(Activity);

impl Timeouts {
    fn shortest(&self) -> Duration {
        self.head.min(self.keep_alive).min(self.write)
    }

    /// While others wait for a connection, an idle one is kept no longer than a silent one.
    fn idle(&self, is_crowded: bool) -> Duration {
        if is_crowded { self.keep_alive.min(self.head) } else { self.keep_alive }
    }
}

impl Expired {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head_timeout",
            Self::KeepAlive => "idle",
            Self::Write => "write_timeout",
        }
    }
}

impl Activity {
    /// Of a new connection, which owes a request's head.
    pub(super) fn new() -> Self {
        let state = State { phase: Phase::New, since: Instant::now(), blocked: None };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Bytes have arrived.
    pub(super) fn received(&self) {
        let mut state = self.state();
        match state.phase {
            // Its time goes on.
            Phase::New => state.phase = Phase::Head,
            Phase::Idle => state.enter(Phase::Head),
            Phase::Head | Phase::Serving => {}
        }
    }

    /// How long a request's head has been arriving, if one has begun and is not complete.
    pub(super) fn unfinished_head(&self) -> Option<Duration> {
        let state = self.state();
        (state.phase == Phase::Head).then(|| state.since.elapsed())
    }

    /// A request's head is complete.
    pub(super) fn serve(&self) -> Serving {
        self.state().enter(Phase::Serving);
        Serving(self.clone())
    }

    /// The socket has no room.
    pub(super) fn blocked(&self) {
        let since = Instant::now();
        self.state().blocked.get_or_insert(Blocked { since, written: 0 });
    }

    /// Whether the socket has no room for a response.
    pub(super) fn is_blocked(&self) -> bool {
        self.state().blocked.is_some()
    }

    /// The socket has taken bytes.
    pub(super) fn written(&self, bytes: usize) {
        if let Some(blocked) = &mut self.state().blocked {
            blocked.written += bytes;
            if blocked.written >= LEAST_PROGRESS_BYTES {
                *blocked = Blocked { since: Instant::now(), written: 0 };
            }
        }
    }

    /// The socket has taken everything.
    pub(super) fn flushed(&self) {
        let mut state = self.state();
        if state.blocked.take().is_some() && state.phase == Phase::Idle {
            state.enter(Phase::Idle);
        }
    }

    /// Waits until the connection has been in one state for too long.
    pub(super) async fn expired(
        &self,
        timeouts: Timeouts,
        is_crowded: impl Fn() -> bool,
    ) -> Expired {
        loop {
            let now = Instant::now();
            let deadline = self.state().deadline(&timeouts, is_crowded());
            match deadline {
                Some((at, expired)) if at <= now => return expired,
                Some((at, _)) => sleep_until(at.min(now + timeouts.shortest())).await,
                None => sleep_until(now + timeouts.shortest()).await,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }

    /// A request that is served is bounded by its own timeout.
    fn deadline(&self, timeouts: &Timeouts, is_crowded: bool) -> Option<(Instant, Expired)> {
        if let Some(blocked) = &self.blocked {
            return Some((blocked.since + timeouts.write, Expired::Write));
        }
        match self.phase {
            Phase::New | Phase::Head => Some((self.since + timeouts.head, Expired::Head)),
            Phase::Idle => Some((self.since + timeouts.idle(is_crowded), Expired::KeepAlive)),
            Phase::Serving => None,
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.state().enter(Phase::Idle);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    const TIMEOUTS: Timeouts = Timeouts {
        head: Duration::from_secs(5),
        keep_alive: Duration::from_secs(75),
        write: Duration::from_secs(10),
    };

    /// When, in seconds from now, the connection expires, and why; `None` if not within an hour.
    async fn expiry(activity: &Activity, is_crowded: bool) -> Option<(u64, Expired)> {
        let begun = Instant::now();
        let expired = activity.expired(TIMEOUTS, || is_crowded);
        let expired = timeout(Duration::from_hours(1), expired).await.ok()?;
        Some((begun.elapsed().as_secs(), expired))
    }

    fn idle() -> Activity {
        let activity = Activity::new();
        drop(activity.serve());
        activity
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_outlives_the_timeout_of_a_head() {
        assert_eq!(expiry(&Activity::new(), false).await, Some((5, Expired::Head)));
        assert_eq!(expiry(&idle(), false).await, Some((75, Expired::KeepAlive)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_own_timeout_from_its_first_byte_on() {
        let activity = idle();
        advance(Duration::from_secs(70)).await;
        let slow = async {
            loop {
                activity.received();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let expiry = tokio::select! {
            expiry = expiry(&activity, false) => expiry,
            () = slow => None,
        };
        assert_eq!(expiry, Some((5, Expired::Head)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_makes_room_when_others_wait() {
        assert_eq!(expiry(&idle(), true).await, Some((5, Expired::KeepAlive)));
        let activity = Activity::new();
        let _serving = activity.serve();
        assert_eq!(expiry(&activity, true).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_that_is_not_read_expires_while_it_is_made_and_afterwards() {
        let activity = Activity::new();
        let serving = activity.serve();
        activity.blocked();
        assert_eq!(expiry(&activity, false).await, Some((10, Expired::Write)));
        activity.flushed();
        activity.blocked();
        drop(serving);
        activity.received();
        assert_eq!(expiry(&activity, false).await, Some((10, Expired::Write)));
        drop(activity.serve());
        activity.flushed();
        assert_eq!(expiry(&activity, false).await, Some((75, Expired::KeepAlive)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_goes_on_and_one_that_only_pretends_does_not() {
        for (bytes, expected) in [(LEAST_PROGRESS_BYTES, None), (1, Some((10, Expired::Write)))] {
            let activity = Activity::new();
            let _serving = activity.serve();
            activity.blocked();
            let reading = async {
                for _ in 0..1_000 {
                    tokio::time::sleep(Duration::from_secs(9)).await;
                    activity.written(bytes);
                    activity.blocked();
                }
            };
            let expiry = tokio::select! {
                expiry = expiry(&activity, false) => expiry,
                () = reading => None,
            };
            assert_eq!(expiry, expected, "{bytes} bytes at a time");
        }
    }
}
