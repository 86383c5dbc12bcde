//! Coalesces receives into handler batches.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};
use tokio_util::task::TaskTracker;

use crate::{
    shutdown::Stop,
    sqs::{BatchHandler, handle::worker::Worker, queue::Queue, receive::batch::Batch},
};

/// Fills batches and starts their work.
pub(crate) struct Batcher<H, Q> {
    pub(crate) worker: Arc<Worker<H, Q>>,
    pub(crate) received: mpsc::Receiver<Batch>,
    /// Most messages of a batch.
    pub(crate) size: usize,
    /// How long a batch waits to fill up while another is handled.
    pub(crate) wait: Duration,
    /// A permit for each batch that may be handled at a time.
    pub(crate) handlers: Arc<Semaphore>,
    pub(crate) concurrency: u16,
    pub(crate) stop: Stop,
    pub(crate) running: TaskTracker,
    /// A receive that did not fit: the next batch begins with it.
    pub(crate) left_over: Option<Batch>,
}

impl<H: BatchHandler, Q: Queue> Batcher<H, Q> {
    /// Runs until the pollers have ended and what was begun is settled. What was not begun at
    /// shutdown is released, unless it is at its last delivery.
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
        if self.worker.messages_at_a_time().is_some() {
            return self.start_sequences(batch);
        }
        match self.fill(&mut batch).await {
            Some(permit) => self.start(batch, permit),
            None => self.release(batch),
        }
    }

    /// Each sequence has a slot, so it can begin.
    fn start_sequences(&self, batch: Batch) {
        let (_, sequences) = self.worker.split(batch);
        for mut sequence in sequences {
            sequence.keep_one_slot();
            let (worker, stop) = (Arc::clone(&self.worker), self.stop.clone());
            self.running.spawn(async move { worker.work(sequence, &stop).await });
        }
    }

    /// Adds the receives that there are to the batch, and those that come until no other batch is
    /// handled, or it has waited and a handler is free for it; `None` at shutdown.
    async fn fill(&mut self, batch: &mut Batch) -> Option<OwnedSemaphorePermit> {
        let shutdown = self.stop.draining.clone();
        let free = free(Arc::clone(&self.handlers), self.concurrency, self.wait);
        tokio::pin!(free);
        loop {
            let room = self.left_over.is_none() && batch.len() < self.size;
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return None,
                Some(more) = self.received.recv(), if room => self.add(batch, more),
                permit = &mut free => return permit,
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
        let (worker, stop) = (Arc::clone(&self.worker), self.stop.clone());
        self.running.spawn(async move {
            worker.work(batch, &stop).await;
            drop(permit);
        });
    }

    /// Releases what was not begun at shutdown. What is at its last delivery would go to the
    /// dead-letter queue so: it is handled instead.
    fn release(&self, batch: Batch) {
        let (worker, stop) = (Arc::clone(&self.worker), self.stop.clone());
        let handlers = Arc::clone(&self.handlers);
        self.running.spawn(async move {
            let (together, sequences) = worker.split(batch);
            if let Some(batch) = together {
                worker.release(&batch).await;
            }
            if sequences.is_empty() {
                return;
            }
            let _permit = handlers.acquire().await;
            let sequences = sequences.into_iter().map(|sequence| worker.work(sequence, &stop));
            sequences.collect::<FuturesUnordered<_>>().collect::<()>().await;
        });
    }
}

/// A permit: at once while none of them is in use, for a message that comes alone need not wait for
/// others; and after `wait` otherwise, for few large batches cost less than many small ones.
async fn free(
    handlers: Arc<Semaphore>,
    concurrency: u16,
    wait: Duration,
) -> Option<OwnedSemaphorePermit> {
    let idle = handlers.acquire_many(concurrency.into());
    let _ = timeout(wait, idle).await;
    handlers.acquire_owned().await.ok()
}
