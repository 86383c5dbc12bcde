//! The consumer of one queue: pollers, batcher and workers under one roof.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use rand::rngs::SmallRng;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    BatchHandler, Config, backoff::Backoff, batch::Batch, batcher::Batcher, poller::Poller,
    queue::Queue, settle::Settler, worker::Worker,
};
use crate::{Clock, health::Pulse};

/// Beyond what a poller's turn may rightly take.
const PULSE_GRACE: Duration = Duration::from_secs(30);

/// A consumer that is ready to run.
pub(crate) struct Consumer<H, Q> {
    queue: Arc<Q>,
    worker: Arc<Worker<H, Q>>,
    clock: Arc<dyn Clock>,
    config: Config,
    pulses: Vec<Pulse>,
}

impl<H: BatchHandler, Q: Queue> Consumer<H, Q> {
    /// `name` is the function's: dead letters tell who rejected them.
    pub(crate) fn new(
        queue: Q,
        handler: H,
        config: &Config,
        name: &'static str,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::seeded(queue, handler, config, name, clock, rand::make_rng())
    }

    /// As [`new`](Self::new), with its choices repeatable.
    pub(crate) fn seeded(
        queue: Q,
        handler: H,
        config: &Config,
        name: &'static str,
        clock: Arc<dyn Clock>,
        random: SmallRng,
    ) -> Self {
        let queue = Arc::new(queue);
        let settler = Settler {
            queue: Arc::clone(&queue),
            backoff: Backoff::new(config, random),
            clock: Arc::clone(&clock),
            handler: name,
            deletes: true,
        };
        // A turn is a long poll, then perhaps a wait until a handler is done.
        let limit = config.wait() * 2 + config.handler_timeout() + PULSE_GRACE;
        let pulses = (0..config.queue_receivers).map(|_| Pulse::new("poller", limit)).collect();
        let worker = Arc::new(Worker::new(handler, settler, config));
        Self { queue, worker, clock, config: config.clone(), pulses }
    }

    /// One for each poller: a consumer is alive while all of them turn.
    pub(crate) fn pulses(&self) -> Vec<Pulse> {
        self.pulses.clone()
    }

    /// Consumes until shutdown, then drains: running batches finish, unstarted messages are given
    /// back.
    pub(crate) async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let (sender, received) = mpsc::channel(1);
        let mut pollers = self.pollers(&sender, &shutdown);
        // The batcher ends when the last poller has dropped its own sender.
        drop(sender);
        self.batcher(received, shutdown).run().await;
        while let Some(ended) = pollers.join_next().await {
            ended.context("a poller died")?;
        }
        Ok(())
    }

    fn pollers(&self, batches: &mpsc::Sender<Batch>, shutdown: &CancellationToken) -> JoinSet<()> {
        let slots = Arc::new(Semaphore::new(self.config.slots()));
        let poller = |pulse: &Pulse| Poller {
            queue: Arc::clone(&self.queue),
            clock: Arc::clone(&self.clock),
            slots: Arc::clone(&slots),
            pacing: self.worker.pacing(),
            tempo: self.config.tempo(),
            most: self.config.receive_size(),
            pulse: pulse.clone(),
            batches: batches.clone(),
            shutdown: shutdown.clone(),
        };
        self.pulses.iter().map(|pulse| poller(pulse).run()).collect()
    }

    fn batcher(
        &self,
        received: mpsc::Receiver<Batch>,
        shutdown: CancellationToken,
    ) -> Batcher<H, Q> {
        Batcher {
            worker: Arc::clone(&self.worker),
            received,
            size: self.config.queue_batch_size.into(),
            wait: self.config.batch_wait(),
            handlers: Arc::new(Semaphore::new(self.config.queue_concurrency.into())),
            shutdown,
            running: TaskTracker::new(),
            left_over: None,
        }
    }
}
