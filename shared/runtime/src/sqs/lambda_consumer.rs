//! The consumer of a Lambda. It has no pollers: the event source mapping brings batches, and deletes
//! the messages that are not reported as failed.
//!
//! The remaining stages are those of a pod: decoding, deadline, verdicts, dead letters, backoff. A
//! failed message is reported *and* stays invisible for its backoff. A rejected one is in the
//! dead-letter queue by then, and counts as done.

use std::{collections::HashSet, sync::Arc};

use rand::rngs::SmallRng;
use tokio::time::Instant;

use crate::{
    Clock,
    backoff::Jitter,
    health::Dependencies,
    sqs::{
        BatchHandler, Config, Delivery,
        handle::worker::Worker,
        queue::Queue,
        receive::{arrival, batch::Batch, circuit_breaker::CircuitBreaker},
        settle::{
            Settler,
            backoff::{Backoff, Unavailable},
        },
    },
};

/// Handles the batches of an event source mapping.
pub(crate) struct LambdaConsumer<H, Q> {
    queue: Arc<Q>,
    worker: Worker<H, Q>,
    clock: Arc<dyn Clock>,
}

impl<H: BatchHandler, Q: Queue> LambdaConsumer<H, Q> {
    /// `name` is the function's: dead letters name it. The checks of `dependencies`
    /// distinguish a handler that hangs from a dependency that hangs.
    pub(crate) fn new(
        queue: Q,
        handler: H,
        config: &Config,
        name: &'static str,
        clock: Arc<dyn Clock>,
        dependencies: Dependencies,
    ) -> Self {
        Self::seeded(queue, handler, config, name, clock, dependencies, rand::make_rng())
    }

    /// As [`new`](Self::new), with its choices repeatable.
    pub(crate) fn seeded(
        queue: Q,
        handler: H,
        config: &Config,
        name: &'static str,
        clock: Arc<dyn Clock>,
        dependencies: Dependencies,
        random: SmallRng,
    ) -> Self {
        let (queue, jitter) = (Arc::new(queue), Jitter::new(random));
        let breaker = CircuitBreaker::new(queue.attributes().name(), dependencies, jitter.clone());
        let settler = Settler {
            queue: Arc::clone(&queue),
            backoff: Backoff::new(config, Unavailable::IN_A_LAMBDA, jitter),
            clock: Arc::clone(&clock),
            handler: name,
            deletes: false,
        };
        Self { queue, worker: Worker::new(handler, settler, config, Arc::new(breaker)), clock }
    }

    /// The queue that is configured.
    pub(crate) fn queue_arn(&self) -> &str {
        &self.queue.attributes().arn
    }

    /// Whether the queue has an order to keep.
    pub(crate) fn is_fifo(&self) -> bool {
        self.queue.attributes().rules.fifo
    }

    /// Handles one batch by `deadline`; returns the ids of the messages that must be handed out
    /// again, each once.
    pub(crate) async fn handle(&self, deliveries: Vec<Delivery>, deadline: Instant) -> Vec<String> {
        let queue = self.queue.attributes();
        arrival::report(queue.name(), &deliveries, self.clock.now());
        let mut ids: Vec<_> =
            deliveries.iter().map(|delivery| delivery.message_id().to_owned()).collect();
        let batch = Batch::new(deliveries, Vec::new(), None, queue);
        let mut failed: HashSet<_> =
            self.worker.handle_invocation(batch, deadline).await.into_iter().collect();
        ids.retain(|id| failed.remove(id));
        ids
    }
}
