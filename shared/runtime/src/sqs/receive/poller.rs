//! Long polling: from the queue into free slots.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::{
    Clock,
    backoff::exponential,
    health::Pulse,
    sqs::{
        Delivery,
        queue::Queue,
        receive::{
            arrival,
            batch::Batch,
            circuit_breaker::{CircuitBreaker, Receiving},
            heartbeat::VisibilityLease,
            slots::{Reserved, Slots},
        },
    },
};

/// What a running poll is given at shutdown: an answer that is on its way should arrive, or its
/// messages stay invisible until their visibility timeout.
const LAST_ANSWER: Duration = Duration::from_secs(1);
/// Between two empty answers, for a queue that does not long-poll.
const IDLE_PAUSE: Duration = Duration::from_millis(100);
/// A poller that waits for slots, or for the circuit breaker, is alive: its pulse beats this often.
const WAITING_PULSE: Duration = Duration::from_secs(5);
/// After a failed receive; doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One receive loop of several.
pub(crate) struct Poller<Q> {
    pub(crate) queue: Arc<Q>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Shared by all loops: what the process may hold.
    pub(crate) slots: Slots,
    /// Shared by all loops, too.
    pub(crate) breaker: Arc<CircuitBreaker>,
    /// For how long a receive makes its messages invisible.
    pub(crate) visibility: Duration,
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
            let Some(receiving) = self.admit().await else { return };
            let begun = Instant::now();
            match self.poll(slots.width()).await {
                Some(Ok(deliveries)) => {
                    if failures > 0 {
                        info!(failures, "receiving again");
                    }
                    failures = 0;
                    self.deliver(deliveries, slots, receiving, begun).await;
                }
                Some(Err(error)) => {
                    drop((slots, receiving));
                    self.back_off(failures, &error).await;
                    failures += 1;
                }
                None => return,
            }
            self.pulse.beat();
        }
    }

    /// Waits for a free slot and takes as many as a receive can fill; `None` at shutdown.
    async fn reserve(&self) -> Option<Reserved> {
        self.alive(self.slots.reserve(self.most)).await?
    }

    /// Waits until the circuit breaker lets it receive; `None` at shutdown.
    async fn admit(&self) -> Option<Option<Receiving>> {
        self.alive(self.breaker.receive()).await
    }

    /// Waits, and is alive meanwhile; `None` at shutdown.
    async fn alive<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(wait);
        loop {
            let waiting = timeout(WAITING_PULSE, &mut wait);
            let waited = self.shutdown.run_until_cancelled(waiting).await?;
            self.pulse.beat();
            if let Ok(done) = waited {
                return Some(done);
            }
        }
    }

    /// `None` if shutdown came first.
    async fn poll(&self, most: u16) -> Option<anyhow::Result<Vec<Delivery>>> {
        let receive = self.queue.receive(most);
        tokio::pin!(receive);
        match self.shutdown.run_until_cancelled(&mut receive).await {
            Some(answer) => Some(answer),
            None => timeout(LAST_ANSWER, receive).await.ok(),
        }
    }

    async fn deliver(
        &self,
        deliveries: Vec<Delivery>,
        mut slots: Reserved,
        receiving: Option<Receiving>,
        begun: Instant,
    ) {
        if deliveries.is_empty() {
            drop((slots, receiving));
            self.shutdown.run_until_cancelled(sleep_until(begun + IDLE_PAUSE)).await;
            return;
        }
        self.report(&deliveries);
        let taken = slots.take(&deliveries).unwrap_or(slots);
        let leases = VisibilityLease::start(Arc::clone(&self.queue), &deliveries, self.visibility);
        let mut batch = Batch::new(deliveries, leases, Some(taken), self.queue.attributes());
        batch.receiving = receiving;
        self.hand_over(batch).await;
    }

    /// During a shutdown, too: the batcher takes batches until there are no more.
    async fn hand_over(&self, batch: Batch) {
        let sending = self.batches.send(batch);
        tokio::pin!(sending);
        loop {
            match timeout(WAITING_PULSE, &mut sending).await {
                Ok(Ok(())) => return,
                Ok(Err(_)) => return error!("messages were received that nobody handles"),
                Err(_) => self.pulse.beat(),
            }
        }
    }

    /// The first failure of a row is logged, not each.
    async fn back_off(&self, failures: u32, error: &anyhow::Error) {
        if failures == 0 {
            error!(error = format!("{error:#}"), "cannot receive; trying on");
        }
        let pause = exponential(FIRST_PAUSE, failures, LONGEST_PAUSE);
        self.shutdown.run_until_cancelled(sleep(pause)).await;
    }

    fn report(&self, deliveries: &[Delivery]) {
        arrival::report(self.queue.attributes().name(), deliveries, self.clock.now());
    }
}
