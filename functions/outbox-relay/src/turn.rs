//! One replica's turns: lease, look, tell, forget.

use std::sync::Arc;

use store::{Lease, Outbox, UntoldFact, Wake};
use tokio::time::Instant;

use crate::config::Config;
use crate::envelope::Envelope;
use crate::held::Held;
use crate::queues::{Queues, Sent};
use crate::upkeep::Upkeep;

/// A replica from its first turn to its last.
pub(crate) struct Turns {
    outbox: Outbox,
    wake: Wake,
    queues: Queues,
    batch_size: usize,
    lease: Option<Lease>,
    /// The shards of the last lease.
    shards: Vec<i16>,
    sleeping: bool,
    held: Held,
    upkeep: Upkeep,
}

/// What a turn came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Facts were told: there may be more.
    Told,
    /// There is nothing to tell, and writers know that we sleep.
    Idle,
    /// A queue is away, or refuses too much.
    Failed,
}

impl Turns {
    pub(crate) fn new(outbox: Outbox, queues: Queues, config: &Config) -> Self {
        Self {
            wake: outbox.wake(),
            outbox,
            queues,
            batch_size: usize::from(config.relay_batch_size),
            lease: None,
            shards: Vec::new(),
            sleeping: false,
            held: Held::default(),
            upkeep: Upkeep::new(config.inbox_retention()),
        }
    }

    /// Waits for something to do.
    pub(crate) async fn wait(&self) {
        self.wake.wait().await;
    }

    /// Tells one batch, and then does what else is due. Everything in it is bounded by the lease or
    /// the timeouts of PostgreSQL.
    pub(crate) async fn turn(&mut self) -> anyhow::Result<Turn> {
        let lease = self.lease().await?;
        let turn = self.tell(&lease).await?;
        self.upkeep.turn(&self.outbox, &lease).await;
        Ok(turn)
    }

    async fn tell(&mut self, lease: &Lease) -> anyhow::Result<Turn> {
        let facts = self.outbox.untold(lease, &self.held.tasks(), self.batch_size).await?;
        if facts.is_empty() {
            return self.nothing().await;
        }
        self.set_sleeping(false).await?;
        let sent = self.send(&facts, lease.until).await?;
        let told: Vec<_> = facts.into_iter().filter(|fact| sent.seqs.contains(&fact.seq)).collect();
        if !told.is_empty() && !self.outbox.told(&told).await? {
            self.upkeep.repeat_soon();
        }
        self.held.add(sent.refused);
        Ok(if sent.failed || self.held.are_many() { Turn::Failed } else { Turn::Told })
    }

    /// Gives the shards to the others.
    pub(crate) async fn end(self) -> anyhow::Result<()> {
        Ok(self.outbox.release().await?)
    }

    /// The lease, renewed if it is time to, or if others gave shards away.
    async fn lease(&mut self) -> anyhow::Result<Lease> {
        let moved = self.wake.shards_are_free();
        let held = self.lease.take().filter(|lease| !moved && Instant::now() < lease.renew_at);
        let lease = match held {
            Some(lease) => lease,
            None => self.outbox.lease().await?,
        };
        // Whoever held them before may have left facts that wait for Redis.
        if lease.shards.iter().any(|shard| !self.shards.contains(shard)) {
            self.upkeep.repeat_soon();
        }
        self.shards.clone_from(&lease.shards);
        Ok(self.lease.insert(lease).clone())
    }

    async fn send(&mut self, facts: &[UntoldFact], until: Instant) -> anyhow::Result<Sent> {
        let envelopes: Vec<_> =
            facts.iter().map(|fact| Envelope::new(fact).map(Arc::new)).collect::<Result<_, _>>()?;
        Ok(self.queues.send(&envelopes, until).await)
    }

    /// Who falls asleep looks once more: what was committed before was not notified.
    async fn nothing(&mut self) -> anyhow::Result<Turn> {
        if self.sleeping {
            return Ok(Turn::Idle);
        }
        self.set_sleeping(true).await?;
        Ok(Turn::Told)
    }

    async fn set_sleeping(&mut self, sleeping: bool) -> anyhow::Result<()> {
        if self.sleeping != sleeping {
            self.outbox.set_sleeping(sleeping).await?;
            self.sleeping = sleeping;
        }
        Ok(())
    }
}
