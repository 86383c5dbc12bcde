//! What becomes of a message: the handler says, the host does.

use std::time::Duration;

/// A handler's decision on one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It took effect (or needs none): delete it.
    Ack,
    /// It failed for a passing cause: hand it out again later. On the last delivery that the queue
    /// allows, this becomes a [`Verdict::Reject`] with the same reason.
    Retry(Retry),
    /// It can never succeed: move it to the dead-letter queue now.
    Reject(Reject),
}

/// Why and when to try a message again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// How long to wait, at most eleven hours; `None` backs off exponentially with full jitter, or,
    /// if a dependency is unavailable, waits for that.
    pub after: Option<Duration>,
    /// A machine-readable code such as `database_unavailable`: a metric's label.
    pub reason: &'static str,
    /// What happened, for operators. It is logged: no secrets, no personal data.
    pub detail: String,
    /// The cause is a dependency that is unavailable, and would fail other messages too: it opens the
    /// circuit breaker of a pod's consumer, and the wait is one of its own.
    pub unavailable: bool,
    /// The handling was ended, or not begun, for a cause that is not the message's: a shutdown, lost
    /// visibility, an invocation's end. It never becomes a dead letter of ours.
    pub(crate) interrupted: bool,
}

/// Why a message can never succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// A machine-readable code such as `malformed_json`: a metric's label, and the dead letter's
    /// filterable attribute.
    pub reason: &'static str,
    /// What is wrong with the message. It travels with the dead letter, cut at 1 KiB, and is not
    /// logged: it may quote the message.
    pub detail: String,
}

impl Verdict {
    /// The retry, if its cause is a dependency that is unavailable.
    pub(crate) fn unavailable(&self) -> Option<&Retry> {
        match self {
            Self::Retry(retry) if retry.unavailable => Some(retry),
            _ => None,
        }
    }
}

impl Retry {
    /// A retry after the usual backoff.
    pub fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        let (after, detail) = (None, detail.into());
        Self { after, reason, detail, unavailable: false, interrupted: false }
    }

    /// The message was handled not at all, or not to the end, and is not at fault: it is handed out
    /// again at once.
    pub(crate) fn interrupted(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { interrupted: true, ..Self::new(reason, detail) }.after(Duration::ZERO)
    }

    /// Why a handler that was cut off is retried.
    pub(crate) const TIMED_OUT: &'static str = "handler_timed_out";

    /// A retry because a dependency is unavailable, such as a database: not only this message has to
    /// wait. Declare the dependency ([`Service::ready_when`](crate::Service::ready_when)): its check
    /// decides when work goes on.
    pub fn unavailable(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { unavailable: true, ..Self::new(reason, detail) }
    }

    /// Sets the wait. Zero hands the message out again at once.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { after: Some(wait), ..self }
    }
}

impl Reject {
    /// A rejection.
    pub fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

impl From<Retry> for Verdict {
    fn from(retry: Retry) -> Self {
        Self::Retry(retry)
    }
}

impl From<Reject> for Verdict {
    fn from(reject: Reject) -> Self {
        Self::Reject(reject)
    }
}
