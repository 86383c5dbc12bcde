//! The consumer of one queue: pollers, batcher and workers.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_util::task::TaskTracker;

use crate::{
    Host,
    health::Pulse,
    shutdown::Stop,
    sqs::{
        BatchHandler, Config,
        handle::{batcher::Batcher, parts::Parts, worker::Worker},
        queue::Queue,
        receive::{batch::Batch, poller::Poller, slots::Slots},
    },
};

/// Beyond what a poller's iteration may take.
const PULSE_GRACE: Duration = Duration::from_secs(30);

/// A consumer that is ready to run.
pub(crate) struct Consumer<H, Q> {
    worker: Arc<Worker<H, Q>>,
    config: Config,
    pulses: Vec<Pulse>,
}

impl<H: BatchHandler, Q: Queue> Consumer<H, Q> {
    pub(crate) fn new(parts: Parts<'_, H, Q>) -> Self {
        let config = parts.config.clone();
        // An iteration is a long poll. A poller that waits for free slots is alive.
        let limit = config.wait() * 2 + PULSE_GRACE;
        let pulses = (0..config.queue_receivers).map(|_| Pulse::new("poller", limit)).collect();
        Self { worker: Arc::new(parts.worker(Host::Pod)), config, pulses }
    }

    /// One for each poller: a consumer is alive while all of them run.
    pub(crate) fn pulses(&self) -> Vec<Pulse> {
        self.pulses.clone()
    }

    /// Consumes until shutdown, then drains: what has begun is finished, and so is what is at its last
    /// delivery; other messages are released. What still runs when the drain is cut off is released,
    /// too.
    pub(crate) async fn run(self, stop: Stop) -> anyhow::Result<()> {
        let (sender, received) = mpsc::channel(1);
        let mut pollers = self.pollers(&sender, &stop);
        // The batcher ends when the last poller has dropped its own sender.
        drop(sender);
        let (breaker, draining) = (self.worker.breaker(), stop.draining.clone());
        tokio::join!(self.batcher(received, stop).run(), breaker.probe(draining));
        while let Some(ended) = pollers.join_next().await {
            ended.context("a poller failed")?;
        }
        Ok(())
    }

    fn pollers(&self, batches: &mpsc::Sender<Batch>, stop: &Stop) -> JoinSet<()> {
        let messages = self.config.slots(self.worker.messages_at_a_time());
        let slots = Slots::new(messages, self.config.queue_memory_bytes);
        let settler = &self.worker.settler;
        let poller = |pulse: &Pulse| Poller {
            queue: Arc::clone(&settler.queue),
            clock: Arc::clone(&settler.clock),
            slots: slots.clone(),
            breaker: self.worker.breaker(),
            visibility: self.config.visibility(),
            most: self.config.receive_size(),
            pulse: pulse.clone(),
            batches: batches.clone(),
            shutdown: stop.draining.clone(),
        };
        self.pulses.iter().map(|pulse| poller(pulse).run()).collect()
    }

    fn batcher(&self, received: mpsc::Receiver<Batch>, stop: Stop) -> Batcher<H, Q> {
        Batcher {
            worker: Arc::clone(&self.worker),
            received,
            size: self.config.queue_batch_size.into(),
            wait: self.config.batch_wait(),
            handlers: Arc::new(Semaphore::new(self.config.queue_concurrency.into())),
            concurrency: self.config.queue_concurrency,
            stop,
            running: TaskTracker::new(),
            left_over: None,
        }
    }
}
