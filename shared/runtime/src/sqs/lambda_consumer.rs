//! The consumer of a Lambda. It has no pollers: the event source mapping brings batches, and deletes
//! the messages that are not reported as failed.
//!
//! The remaining stages are those of a pod: decoding, deadline, verdicts, dead letters, backoff. A
//! failed message is reported *and* stays invisible for its backoff. A rejected one is in the
//! dead-letter queue by then, and counts as done.

use std::collections::HashSet;

use tokio::time::Instant;

use crate::{
    Host,
    sqs::{
        BatchHandler, Delivery,
        handle::{parts::Parts, worker::Worker},
        queue::{Queue, attributes::QueueAttributes},
        receive::{arrival, batch::Batch},
    },
};

/// Handles the batches of an event source mapping.
pub(crate) struct LambdaConsumer<H, Q> {
    worker: Worker<H, Q>,
}

impl<H: BatchHandler, Q: Queue> LambdaConsumer<H, Q> {
    pub(crate) fn new(parts: Parts<'_, H, Q>) -> Self {
        Self { worker: parts.worker(Host::Lambda) }
    }

    /// The queue that is configured.
    pub(crate) fn queue_arn(&self) -> &str {
        &self.queue().arn
    }

    /// Whether the queue has an order to keep.
    pub(crate) fn is_fifo(&self) -> bool {
        self.queue().rules.fifo
    }

    /// Handles one batch by `deadline`; returns the ids of the messages that must be handed out
    /// again, each once.
    pub(crate) async fn handle(&self, deliveries: Vec<Delivery>, deadline: Instant) -> Vec<String> {
        let queue = self.queue();
        arrival::report(queue.name(), &deliveries, self.worker.settler.clock.now());
        let mut ids: Vec<_> =
            deliveries.iter().map(|delivery| delivery.message_id().to_owned()).collect();
        let batch = Batch::new(deliveries, Vec::new(), None, queue);
        let mut failed: HashSet<_> =
            self.worker.handle_invocation(batch, deadline).await.into_iter().collect();
        ids.retain(|id| failed.remove(id));
        ids
    }

    fn queue(&self) -> &QueueAttributes {
        self.worker.settler.queue()
    }
}
