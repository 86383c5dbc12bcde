//! Long polling: from the queue into free slots.

use std::{sync::Arc, time::Duration};

use metrics::{counter, histogram};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{Record, batch::Batch, queue::Queue};
use crate::{
    Clock,
    health::Pulse,
    metrics::{MESSAGES_RECEIVED, QUEUE_AGE},
};

/// What a running poll is given at shutdown: an answer that is on its way should arrive, or its
/// messages stay hidden until their visibility timeout.
const LAST_ANSWER: Duration = Duration::from_secs(1);
/// Between two empty answers, for a queue that does not long-poll.
const IDLE_PAUSE: Duration = Duration::from_millis(100);
/// After a failed receive; doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One receive loop of several.
pub(crate) struct Poller<Q> {
    pub(crate) queue: Arc<Q>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Shared by all loops: a permit for each message that the process may hold.
    pub(crate) slots: Arc<Semaphore>,
    /// Most messages of one receive.
    pub(crate) most: u16,
    pub(crate) pulse: Pulse,
    pub(crate) batches: mpsc::Sender<Batch>,
    pub(crate) shutdown: CancellationToken,
}

impl<Q: Queue> Poller<Q> {
    /// Polls until shutdown.
    pub(crate) async fn run(self) {
        let mut failures = 0;
        while let Some(slots) = self.reserve().await {
            let begun = Instant::now();
            match self.poll(width(&slots)).await {
                Some(Ok(records)) => {
                    if failures > 0 {
                        info!(failures, "receiving again");
                    }
                    failures = 0;
                    self.deliver(records, slots, begun).await;
                }
                Some(Err(error)) => {
                    drop(slots);
                    self.back_off(failures, &error).await;
                    failures += 1;
                }
                None => return,
            }
            self.pulse.beat();
        }
    }

    /// Waits for a free slot and takes as many as a receive can fill; `None` at shutdown.
    async fn reserve(&self) -> Option<OwnedSemaphorePermit> {
        let first = Arc::clone(&self.slots).acquire_owned();
        let mut slots = self.shutdown.run_until_cancelled(first).await?.ok()?;
        while width(&slots) < self.most {
            match Arc::clone(&self.slots).try_acquire_owned() {
                Ok(more) => slots.merge(more),
                Err(_) => break,
            }
        }
        Some(slots)
    }

    /// `None` if shutdown came first.
    async fn poll(&self, most: u16) -> Option<anyhow::Result<Vec<Record>>> {
        let receive = self.queue.receive(most);
        tokio::pin!(receive);
        match self.shutdown.run_until_cancelled(&mut receive).await {
            Some(answer) => Some(answer),
            None => timeout(LAST_ANSWER, receive).await.ok(),
        }
    }

    async fn deliver(&self, records: Vec<Record>, mut slots: OwnedSemaphorePermit, begun: Instant) {
        if records.is_empty() {
            drop(slots);
            self.shutdown.run_until_cancelled(sleep_until(begun + IDLE_PAUSE)).await;
            return;
        }
        self.report(&records);
        let taken = slots.split(records.len()).unwrap_or(slots);
        let batch = Batch::new(records, taken, self.queue.facts().name());
        if self.batches.send(batch).await.is_err() {
            error!("messages were received that nobody handles");
        }
    }

    /// The first failure of a row is logged, not each.
    async fn back_off(&self, failures: u32, error: &anyhow::Error) {
        if failures == 0 {
            error!(error = format!("{error:#}"), "cannot receive; trying on");
        }
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_PAUSE);
        self.shutdown.run_until_cancelled(sleep(pause)).await;
    }

    fn report(&self, records: &[Record]) {
        let queue = self.queue.facts().name().to_owned();
        let now = self.clock.now();
        counter!(MESSAGES_RECEIVED, "queue" => queue.clone())
            .increment(u64::try_from(records.len()).unwrap_or(u64::MAX));
        let age = histogram!(QUEUE_AGE, "queue" => queue);
        for sent_at in records.iter().filter_map(Record::sent_at) {
            // Two machines' clocks differ; an age is never negative.
            age.record((now - sent_at).to_std().unwrap_or_default().as_secs_f64());
        }
    }
}

fn width(slots: &OwnedSemaphorePermit) -> u16 {
    u16::try_from(slots.num_permits()).unwrap_or(u16::MAX)
}
