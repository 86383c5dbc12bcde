//! One replica's publish cycles: lease, poll, send, record.

use std::collections::HashMap;
use std::sync::Arc;

use events::encode_fact;
use metrics::counter;
use store::{Failure, Fault, Lease, Outbox, OutboxListener, PendingFact, TaskKey};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tracing::{error, warn};

use crate::config::Config;
use crate::instruments::PARKED;
use crate::message::Message;
use crate::queues::{Queues, Sent};
use crate::sleep::Sleep;

/// The reason of a fact that no event can be made of.
const UNREADABLE: &str = "Unreadable";

/// A replica from its first cycle to its last.
pub(crate) struct Publisher {
    outbox: Arc<Outbox>,
    listener: OutboxListener,
    queues: Queues,
    batch_size: usize,
    attempts: u16,
    /// The latest lease, for the upkeep.
    lease: watch::Sender<Option<Lease>>,
    /// Counts batches whose facts wait for Redis, for the upkeep.
    uncached: watch::Sender<u64>,
    sleep: Sleep,
}

/// What a cycle came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cycle {
    /// Facts were published or held back: there may be more.
    Published,
    /// There is nothing to publish, and writers know that this replica sleeps.
    Idle,
    /// A queue is unavailable.
    Unavailable,
}

impl Publisher {
    pub(crate) fn new(outbox: Arc<Outbox>, queues: Queues, config: &Config) -> Self {
        Self {
            listener: outbox.listener(),
            outbox,
            queues,
            batch_size: usize::from(config.relay_batch_size),
            attempts: config.relay_max_attempts,
            lease: watch::Sender::default(),
            uncached: watch::Sender::default(),
            sleep: Sleep::default(),
        }
    }

    /// The latest lease.
    pub(crate) fn leases(&self) -> watch::Receiver<Option<Lease>> {
        self.lease.subscribe()
    }

    /// Changes whenever facts begin to wait for Redis.
    pub(crate) fn uncached(&self) -> watch::Receiver<u64> {
        self.uncached.subscribe()
    }

    /// Waits for a notification, or until it is time to poll without one.
    pub(crate) async fn sleep(&self) {
        _ = timeout(self.sleep.pause(), self.listener.wait()).await;
    }

    /// Publishes one batch. Everything in it is bounded by the lease or the timeouts of PostgreSQL.
    pub(crate) async fn cycle(&mut self) -> anyhow::Result<Cycle> {
        let lease = self.lease().await?;
        let facts = self.outbox.pending(&lease, self.batch_size).await?;
        if facts.is_empty() {
            return self.nothing().await;
        }
        self.wake_up().await?;
        let (messages, unreadable) = encode(facts);
        let sent = self.queues.send(&messages, lease.until).await;
        let unavailable = sent.unavailable;
        self.record(&messages, sent, unreadable).await?;
        Ok(if unavailable { Cycle::Unavailable } else { Cycle::Published })
    }

    async fn record(
        &self,
        messages: &[Arc<Message>],
        sent: Sent,
        unreadable: Vec<Failure>,
    ) -> anyhow::Result<()> {
        let is_published = |fact: &&PendingFact| sent.everywhere.contains(&fact.seq);
        let published: Vec<_> =
            messages.iter().map(|message| &message.fact).filter(is_published).collect();
        if !published.is_empty() && !self.outbox.published(&published).await? {
            self.uncached.send_modify(|batches| *batches += 1);
        }
        let failures = [sent.failures, unreadable].concat();
        if failures.is_empty() {
            return Ok(());
        }
        for fact in self.outbox.block(&failures, &sent.held, self.attempts).await? {
            if fact.is_parked {
                let queue = fact.queue.unwrap_or_default();
                error!(fact = %fact.fact, queue, reason = fact.reason, "a fact is parked");
                counter!(PARKED.name, "queue" => queue, "reason" => fact.reason).increment(1);
            }
        }
        Ok(())
    }

    /// The lease, renewed if it is time to, or if others released shards.
    async fn lease(&self) -> anyhow::Result<Lease> {
        let moved = self.listener.shards_are_free();
        let held = self.lease.borrow().clone();
        if let Some(lease) = held.filter(|lease| !moved && Instant::now() < lease.renew_at) {
            return Ok(lease);
        }
        let lease = self.outbox.lease().await?;
        self.lease.send_replace(Some(lease.clone()));
        Ok(lease)
    }

    /// Before it sleeps, a relay polls once more: what was committed before was not notified.
    async fn nothing(&mut self) -> anyhow::Result<Cycle> {
        if self.sleep.has_begun() {
            return Ok(Cycle::Idle);
        }
        self.outbox.set_sleeping(true).await?;
        self.sleep.begin();
        Ok(Cycle::Published)
    }

    async fn wake_up(&mut self) -> anyhow::Result<()> {
        if self.sleep.has_begun() {
            self.outbox.set_sleeping(false).await?;
            self.sleep.end();
        }
        Ok(())
    }
}

/// The messages of those facts that can be read. One that cannot be read holds back the later ones of
/// its task, and is a failure once none of an earlier one's is left to be published.
fn encode(facts: Vec<PendingFact>) -> (Vec<Arc<Message>>, Vec<Failure>) {
    let (mut messages, mut failures) = (Vec::with_capacity(facts.len()), Vec::new());
    let mut tasks: HashMap<TaskKey, bool> = HashMap::new();
    for fact in facts {
        let is_first = !tasks.contains_key(&fact.task);
        let goes_on = tasks.entry(fact.task.clone()).or_insert(true);
        if !*goes_on {
            continue;
        }
        match event(&fact) {
            Ok(body) => messages.push(Arc::new(Message { fact, body })),
            Err(error) => {
                *goes_on = false;
                if is_first {
                    warn!(fact = %fact.id, error, "a fact cannot be read");
                    failures.push(unreadable(&fact));
                }
            }
        }
    }
    (messages, failures)
}

/// The event of a fact, or why there can be none.
fn event(fact: &PendingFact) -> Result<String, String> {
    let record = fact.record.as_ref().map_err(|error| format!("{error:#}"))?;
    encode_fact(record).map_err(|error| format!("the event: {error}"))
}

fn unreadable(fact: &PendingFact) -> Failure {
    let reason = UNREADABLE.to_owned();
    Failure { seq: fact.seq, queue: None, reason, fault: Fault::Unreadable }
}
