//! The trait of a handler of batches.

use std::time::Duration;

use crate::sqs::{Delivery, Reject, Verdict};

/// Where a message came from, as it says itself. Nothing of it was checked: it is for operators to
/// read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Whose message it is, of several customers of one system.
    pub tenant: Option<String>,
    /// Who sent it.
    pub source: Option<String>,
    /// Its name at its sender.
    pub event_id: Option<String>,
}

/// Handles the messages of a queue, a batch at a time.
///
/// Delivery is at least once: a message may come again after its effect was committed, so handling
/// must be idempotent. See the crate's documentation for an example.
pub trait BatchHandler: Send + Sync + 'static {
    /// A decoded message.
    type Message: Send + 'static;

    /// Decodes one delivery on its own; `Err` dead-letters that delivery and no other. So does a panic.
    fn decode(&self, delivery: &Delivery) -> Result<Self::Message, Reject>;

    /// The W3C `traceparent` that a message carries in its body, if it does: its span is linked to
    /// that. Else the message attribute `traceparent` counts, else AWS's `AWSTraceHeader`.
    fn traceparent<'a>(&self, message: &'a Self::Message) -> Option<&'a str> {
        let _ = message;
        None
    }

    /// Where a message came from, as it says itself, for the log line of one that becomes a dead
    /// letter. It may be one that cannot be decoded, so whatever is readable counts.
    fn origin(&self, delivery: &Delivery) -> Origin {
        let _ = delivery;
        Origin::default()
    }

    /// Handles the decoded messages; answers one verdict per message, in order.
    ///
    /// Messages of one FIFO group stand in their order. A handler that retries one should not let
    /// the later ones of its group take effect: whatever their verdict, they are handed out again
    /// after it.
    ///
    /// A panic, a wrong number of verdicts, or taking longer than `HANDLER_TIMEOUT_SECONDS` (the
    /// future is dropped then) retries the whole batch. Therefore a message at its last delivery is
    /// handled in a batch of its own, and so is what follows it in its FIFO group, one after the
    /// other: what fails for good harms no other message.
    fn handle(&self, batch: Vec<Self::Message>) -> impl Future<Output = Vec<Verdict>> + Send;

    /// How many messages are handled at a time, each in a batch of its own; `None`, as a rule: all of
    /// a batch in one call. [`Each`](super::Each) answers with a number.
    fn messages_at_a_time(&self) -> Option<usize> {
        None
    }

    /// Notifies of messages that this process has at their last delivery: before any of them is
    /// handled, and again while it has them. Unless it is called again, that delivery is over after
    /// `over` at the latest, even if the process crashes now; what was not acknowledged or rejected by
    /// then is moved to the dead-letter queue by the queue itself.
    ///
    /// It takes five seconds at most, and what is handled waits only for the first call.
    fn last_delivery(
        &self,
        messages: Vec<Delivery>,
        over: Duration,
    ) -> impl Future<Output = ()> + Send {
        let _ = (messages, over);
        async {}
    }

    /// Notifies of messages that go to the dead-letter queue, whatever the reason: they were rejected,
    /// by the handler or before it saw them; they were retried at their last delivery; or a drain was
    /// cut off at their last delivery, and the queue itself moves them.
    ///
    /// It runs beside the sending, for five seconds at most, and it may be repeated.
    fn dead_lettered(&self, messages: Vec<Delivery>) -> impl Future<Output = ()> + Send {
        let _ = messages;
        async {}
    }
}
