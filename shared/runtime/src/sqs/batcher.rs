//! Coalesces receives into handler batches.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{BatchHandler, Retry, batch::Batch, queue::Queue, worker::Worker};

/// Fills batches and starts their work.
pub(crate) struct Batcher<H, Q> {
    pub(crate) worker: Arc<Worker<H, Q>>,
    pub(crate) received: mpsc::Receiver<Batch>,
    /// Most messages of a batch.
    pub(crate) size: usize,
    /// How long a batch waits to fill up.
    pub(crate) wait: Duration,
    /// A permit for each batch that may be handled at a time.
    pub(crate) handlers: Arc<Semaphore>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) running: TaskTracker,
    /// A receive that did not fit: the next batch begins with it.
    pub(crate) left_over: Option<Batch>,
}

impl<H: BatchHandler, Q: Queue> Batcher<H, Q> {
    /// Runs until the pollers have ended and what was begun is settled. What was not begun at
    /// shutdown is given back.
    pub(crate) async fn run(mut self) {
        while let Some(batch) = self.next().await {
            self.dispatch(batch).await;
        }
        self.running.close();
        self.running.wait().await;
    }

    async fn next(&mut self) -> Option<Batch> {
        match self.left_over.take() {
            Some(batch) => Some(batch),
            None => self.received.recv().await,
        }
    }

    async fn dispatch(&mut self, mut batch: Batch) {
        match self.fill(&mut batch).await {
            Some(permit) => self.start(batch, permit),
            None => self.give_back(batch),
        }
    }

    /// Adds receives to the batch until it is full, or has waited and a handler is free for it;
    /// `None` at shutdown.
    async fn fill(&mut self, batch: &mut Batch) -> Option<OwnedSemaphorePermit> {
        let shutdown = self.shutdown.clone();
        let handlers = Arc::clone(&self.handlers);
        let wait = sleep(self.wait);
        let free = async {
            wait.await;
            handlers.acquire_owned().await.ok()
        };
        tokio::pin!(free);
        loop {
            let room = self.left_over.is_none() && batch.len() < self.size;
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return None,
                permit = &mut free => return permit,
                Some(more) = self.received.recv(), if room => self.add(batch, more),
            }
        }
    }

    fn add(&mut self, batch: &mut Batch, more: Batch) {
        if batch.len() + more.len() <= self.size {
            batch.absorb(more);
        } else {
            self.left_over = Some(more);
        }
    }

    fn start(&self, batch: Batch, permit: OwnedSemaphorePermit) {
        let worker = Arc::clone(&self.worker);
        self.running.spawn(async move {
            worker.work(batch).await;
            drop(permit);
        });
    }

    fn give_back(&self, batch: Batch) {
        let worker = Arc::clone(&self.worker);
        let retry = Retry::new("shut_down", "the consumer shut down before it handled the message")
            .after(Duration::ZERO);
        self.running.spawn(async move { worker.give_back(batch, &retry).await });
    }
}
