//! The circuit breaker of a consumer: whether messages are received and handled.
//!
//! Every delivery counts towards the queue's `maxReceiveCount`. A consumer that goes on receiving
//! while its database is unavailable would use up the deliveries of all messages in minutes and fill
//! the dead-letter queue with messages that nothing is wrong with. So the breaker opens: nothing is
//! received, and what was received waits in this process, invisible to others, which costs no
//! delivery. While it is open the declared dependencies are checked ([`probe`]), never by messages.
//! When all checks pass it is half-open: one batch is handled, the trial, and its verdicts close the
//! breaker or open it again.
//!
//! The rules are in [`state`], without waiting. Pollers wait here to receive, batches to be handled.

mod probe;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{Gauge, counter, gauge};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};
use tracing::{info, warn};

use crate::{
    backoff::Jitter,
    health::Dependencies,
    metrics::{CIRCUIT_BREAKER_OPENED, CIRCUIT_BREAKER_STATE},
    sqs::{Retry, Verdict},
};
use state::{Request, State};

/// A consumer's circuit breaker. Shared by its pollers, its workers, and its probe.
pub(crate) struct CircuitBreaker {
    state: Mutex<State>,
    changed: Notify,
    dependencies: Dependencies,
    jitter: Jitter,
    queue: String,
    gauge: Gauge,
}

impl CircuitBreaker {
    pub(crate) fn new(queue: &str, dependencies: Dependencies, jitter: Jitter) -> Self {
        let gauge = gauge!(CIRCUIT_BREAKER_STATE, "queue" => queue.to_owned());
        let state = State::default();
        gauge.set(state.number());
        let (state, changed, queue) = (Mutex::new(state), Notify::new(), queue.to_owned());
        Self { state, changed, dependencies, jitter, queue, gauge }
    }

    /// Waits until a poller may receive: freely while the breaker is closed, one poller at a time
    /// when it is half-open.
    pub(crate) async fn receive(self: &Arc<Self>) -> Option<Receiving> {
        loop {
            let changed = self.changed.notified();
            let request = self.state().receive();
            match request {
                Request::Granted => return None,
                Request::Alone => return Some(Receiving::new(self)),
                Request::Wait | Request::Refused => changed.await,
            }
        }
    }

    /// Waits until a batch may be handled: at once while the breaker is closed, as the one trial when
    /// it is half-open. Fails if neither comes until `end`, or if the consumer drains. The right to
    /// receive, if the batch was received by it, is another's only once this one waits.
    pub(crate) async fn admit(
        self: &Arc<Self>,
        end: Instant,
        receiving: Option<Receiving>,
    ) -> Result<Option<Trial>, Waited> {
        let _waiting = Waiting::new(self);
        drop(receiving);
        loop {
            let changed = self.changed.notified();
            let request = self.state().admit();
            match request {
                Request::Granted => return Ok(None),
                Request::Alone => return Ok(Some(Trial::new(self))),
                Request::Refused => return Err(Waited),
                Request::Wait => timeout_at(end, changed).await.map_err(|_| Waited)?,
            }
        }
    }

    /// Has a batch that failed so often stand back, until `end` at most, or until a drain; for longer
    /// than the breaker itself waits, whatever failed before this batch did.
    pub(crate) async fn stand_back(&self, failures: u32, end: Instant) {
        let failures = failures.max(self.state().failures());
        let until = end.min(Instant::now() + state::stand_back(failures, &self.jitter));
        loop {
            let changed = self.changed.notified();
            if self.state().is_draining() || timeout_at(until, changed).await.is_err() {
                return;
            }
        }
    }

    /// Takes note of a batch's verdicts, which may be the trial's.
    ///
    /// A batch of which nothing succeeded opens the breaker. Where something did, it may be a fault of
    /// single messages, such as a throttled item: there the checks decide.
    pub(crate) async fn observe(&self, verdicts: &[Verdict], trial: Option<&Trial>) {
        let Some(retry) = verdicts.iter().find_map(Verdict::unavailable) else {
            return self.close(trial);
        };
        if !verdicts.contains(&Verdict::Ack) {
            return self.open(trial, retry.reason, &retry.detail);
        }
        match self.dependencies.first_failure().await {
            Some(failure) => self.open(trial, failure.dependency, &failure.error),
            None => self.close(trial),
        }
    }

    /// Makes `unavailable` of timeouts if a check fails, or hangs, too: that distinguishes a
    /// dependency that hangs from a message that always would. Without a declared dependency it is the message's.
    pub(crate) async fn explain_timeouts(&self, verdicts: &mut [Verdict]) {
        if !verdicts.iter().any(is_timeout) {
            return;
        }
        let Some(failure) = self.dependencies.first_failure().await else { return };
        let detail = format!("{}: {}", failure.dependency, failure.error);
        for verdict in verdicts.iter_mut().filter(|verdict| is_timeout(verdict)) {
            *verdict = Retry::unavailable(Retry::TIMED_OUT, detail.clone()).into();
        }
    }

    /// In a Lambda nothing runs between invocations: if the breaker is open, the probe is made before
    /// a batch. Fails if a dependency is unavailable still.
    pub(crate) async fn probe_now(&self) -> Result<(), Retry> {
        if self.state().is_open() {
            self.probe_once().await;
        }
        if self.state().is_open() {
            let detail = "the dependency that was unavailable at the last invocation is so still";
            return Err(Retry::unavailable("dependency_unavailable", detail));
        }
        Ok(())
    }

    fn open(&self, trial: Option<&Trial>, dependency: &str, error: &str) {
        let was_closed = self.update(|state| state.open(trial.is_some(), &self.jitter));
        if was_closed {
            warn!(dependency, error, "the circuit breaker opens: a dependency is unavailable");
            let labels = [("queue", self.queue.clone()), ("dependency", dependency.to_owned())];
            counter!(CIRCUIT_BREAKER_OPENED, &labels).increment(1);
        } else if trial.is_some() {
            warn!(dependency, error, "the circuit breaker opens again: the trial failed");
        }
    }

    /// Only by a trial: what was received before the breaker opened proves nothing.
    fn close(&self, trial: Option<&Trial>) {
        if trial.is_some()
            && let Some(opened) = self.update(State::close)
        {
            info!(after = ?opened.elapsed(), "the circuit breaker closes");
        }
    }

    /// Changes the state, and wakes everything that waits.
    fn update<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let result = change(&mut state);
        self.gauge.set(state.number());
        drop(state);
        self.changed.notify_waiters();
        result
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to receive while the breaker is half-open; given back when it is dropped.
pub(crate) struct Receiving(Arc<CircuitBreaker>);

impl Receiving {
    fn new(breaker: &Arc<CircuitBreaker>) -> Self {
        Self(Arc::clone(breaker))
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.0.update(State::stop_receiving);
    }
}

/// The right to be the one batch that is handled while the breaker is half-open. Dropped without a
/// result, it is given to another.
pub(crate) struct Trial(Arc<CircuitBreaker>);

impl Trial {
    fn new(breaker: &Arc<CircuitBreaker>) -> Self {
        Self(Arc::clone(breaker))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.0.update(State::stop_handling);
    }
}

/// A batch that waits to be handled.
struct Waiting<'a>(&'a CircuitBreaker);

impl<'a> Waiting<'a> {
    fn new(breaker: &'a CircuitBreaker) -> Self {
        breaker.state().waiting += 1;
        Self(breaker)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.update(|state| state.waiting -= 1);
    }
}

/// The breaker did not let a batch through.
#[derive(Debug)]
pub(crate) struct Waited;

fn is_timeout(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Retry(retry) if retry.reason == Retry::TIMED_OUT && !retry.interrupted)
}
