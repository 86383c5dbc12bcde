//! Long polling: from the queue into free slots.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{
    Record, arrival,
    batch::Batch,
    heartbeat::{Heartbeat, Tempo},
    pacing::{Pacing, Probe},
    queue::Queue,
};
use crate::{Clock, health::Pulse};

/// What a running poll is given at shutdown: an answer that is on its way should arrive, or its
/// messages stay hidden until their visibility timeout.
const LAST_ANSWER: Duration = Duration::from_secs(1);
/// Between two empty answers, for a queue that does not long-poll.
const IDLE_PAUSE: Duration = Duration::from_millis(100);
/// A poller that waits for a pause to end is alive: its pulse beats this often.
const PAUSED_PULSE: Duration = Duration::from_secs(5);
/// After a failed receive; doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One receive loop of several.
pub(crate) struct Poller<Q> {
    pub(crate) queue: Arc<Q>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Shared by all loops: a permit for each message that the process may hold.
    pub(crate) slots: Arc<Semaphore>,
    /// Shared by all loops, too.
    pub(crate) pacing: Arc<Pacing>,
    pub(crate) tempo: Tempo,
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
            let Some(probe) = self.admit().await else { return };
            let begun = Instant::now();
            let most = if probe.is_some() { 1 } else { width(&slots) };
            match self.poll(most).await {
                Some(Ok(records)) => {
                    if failures > 0 {
                        info!(failures, "receiving again");
                    }
                    failures = 0;
                    self.deliver(records, slots, probe, begun).await;
                }
                Some(Err(error)) => {
                    drop((slots, probe));
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

    /// Waits while the consumer is paused; `None` at shutdown.
    async fn admit(&self) -> Option<Option<Probe>> {
        loop {
            let admission = timeout(PAUSED_PULSE, self.pacing.admit());
            match self.shutdown.run_until_cancelled(admission).await? {
                Ok(admitted) => return Some(admitted),
                Err(_) => self.pulse.beat(),
            }
        }
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

    async fn deliver(
        &self,
        records: Vec<Record>,
        mut slots: OwnedSemaphorePermit,
        probe: Option<Probe>,
        begun: Instant,
    ) {
        if records.is_empty() {
            drop((slots, probe));
            self.shutdown.run_until_cancelled(sleep_until(begun + IDLE_PAUSE)).await;
            return;
        }
        self.report(&records);
        let taken = slots.split(records.len()).unwrap_or(slots);
        let heartbeat = Heartbeat::start(Arc::clone(&self.queue), &records, self.tempo);
        let mut batch = Batch::new(records, heartbeat, taken, self.queue.facts().name());
        batch.probe = probe;
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
        arrival::report(self.queue.facts().name(), records, self.clock.now());
    }
}

fn width(slots: &OwnedSemaphorePermit) -> u16 {
    u16::try_from(slots.num_permits()).unwrap_or(u16::MAX)
}
