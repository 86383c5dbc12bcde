//! What a consumer is asked to write.

use tokio::time::Instant;

use super::{Record, Reject, Verdict};

/// Handles the messages of a queue, a batch at a time.
///
/// Delivery is at least once: a message may come again after its effect was committed, so handling
/// must be idempotent. See the crate's documentation for an example.
pub trait BatchHandler: Send + Sync + 'static {
    /// A decoded message.
    type Message: Send + 'static;

    /// Decodes one record on its own; `Err` dead-letters that record and no other. So does a panic.
    fn decode(&self, record: &Record) -> Result<Self::Message, Reject>;

    /// The W3C `traceparent` that a message carries in its body, if it does: its span is linked to
    /// that. Else the message attribute `traceparent` counts, else AWS's `AWSTraceHeader`.
    fn traceparent<'a>(&self, message: &'a Self::Message) -> Option<&'a str> {
        let _ = message;
        None
    }

    /// Handles the decoded messages; answers one verdict per message, in order.
    ///
    /// Messages of one FIFO group stand in their order. A handler that retries one should not let
    /// the later ones of its group take effect: whatever their verdict, they are handed out again
    /// after it. (Except on a message's last delivery, after which it cannot be handed out again:
    /// there its verdict counts.)
    ///
    /// A panic, a wrong number of verdicts, or taking longer than `HANDLER_TIMEOUT_SECONDS` (the
    /// future is dropped then) retries the whole batch.
    fn handle(&self, batch: Vec<Self::Message>) -> impl Future<Output = Vec<Verdict>> + Send;

    /// As [`handle`](Self::handle), told when it will be cut off: what the host calls. Override it
    /// to answer for what is done by then, rather than have the whole batch retried.
    fn handle_until(
        &self,
        batch: Vec<Self::Message>,
        deadline: Instant,
    ) -> impl Future<Output = Vec<Verdict>> + Send {
        let _ = deadline;
        self.handle(batch)
    }
}
