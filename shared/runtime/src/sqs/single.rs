//! The other shape of a handler: one message at a time.

use crate::sqs::{BatchHandler, Delivery, Origin, Reject, Verdict};

/// Messages that are handled at a time unless configured otherwise, for each of
/// `QUEUE_CONCURRENCY`.
const AT_A_TIME: usize = 10;

/// Handles the messages of a queue, one at a time. [`Each`] makes a [`BatchHandler`] of it.
///
/// Delivery is at least once, as it is for a batch handler: make the effect idempotent.
pub trait Handler: Send + Sync + 'static {
    /// A decoded message.
    type Message: Send + 'static;

    /// Decodes one delivery; `Err` dead-letters it. So does a panic.
    fn decode(&self, delivery: &Delivery) -> Result<Self::Message, Reject>;

    /// The W3C `traceparent` that a message carries in its body; see
    /// [`BatchHandler::traceparent`].
    fn traceparent<'a>(&self, message: &'a Self::Message) -> Option<&'a str> {
        let _ = message;
        None
    }

    /// Where a message came from; see [`BatchHandler::origin`].
    fn origin(&self, delivery: &Delivery) -> Origin {
        let _ = delivery;
        Origin::default()
    }

    /// Handles one message.
    ///
    /// A panic, or taking longer than `HANDLER_TIMEOUT_SECONDS` (the future is dropped then), retries
    /// this message and touches no other, except what follows it in its FIFO group. The time is the
    /// message's own: it counts from here, however long the message waited.
    fn handle(&self, message: Self::Message) -> impl Future<Output = Verdict> + Send;

    /// Notifies of messages that become dead letters; see [`BatchHandler::dead_lettered`].
    fn dead_lettered(&self, messages: Vec<Delivery>) -> impl Future<Output = ()> + Send {
        let _ = messages;
        async {}
    }
}

/// Runs a [`Handler`]: messages side by side, but those of a FIFO group in their order, each settled
/// as soon as it is handled.
///
/// A pod receives a message only when it can begin it, or, in a FIFO group, when it can begin its
/// group. After a retry in a FIFO group the later messages of that group are not begun: it is handed out again
/// behind the retried message.
#[derive(Debug)]
pub struct Each<H> {
    handler: H,
    at_a_time: usize,
}

impl<H: Handler> Each<H> {
    /// Ten messages at a time, for each of `QUEUE_CONCURRENCY`.
    pub fn new(handler: H) -> Self {
        Self { handler, at_a_time: AT_A_TIME }
    }

    /// At most `count` messages at a time for each of `QUEUE_CONCURRENCY`, and one at least; never
    /// more than `QUEUE_BATCH_SIZE`. In a Lambda, of each invocation.
    #[must_use]
    pub fn at_a_time(self, count: usize) -> Self {
        Self { at_a_time: count.max(1), ..self }
    }
}

impl<H: Handler> BatchHandler for Each<H> {
    type Message = H::Message;

    fn decode(&self, delivery: &Delivery) -> Result<Self::Message, Reject> {
        self.handler.decode(delivery)
    }

    fn traceparent<'a>(&self, message: &'a Self::Message) -> Option<&'a str> {
        self.handler.traceparent(message)
    }

    fn origin(&self, delivery: &Delivery) -> Origin {
        self.handler.origin(delivery)
    }

    fn messages_at_a_time(&self) -> Option<usize> {
        Some(self.at_a_time)
    }

    async fn handle(&self, batch: Vec<Self::Message>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for message in batch {
            verdicts.push(self.handler.handle(message).await);
        }
        verdicts
    }

    async fn dead_lettered(&self, messages: Vec<Delivery>) {
        self.handler.dead_lettered(messages).await;
    }
}
