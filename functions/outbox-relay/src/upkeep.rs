//! What the relay does beside telling facts, each at its time: cache writes repeated, gauges set,
//! old rows taken away.

use std::time::Duration;

use store::{Lease, Outbox};
use tokio::time::Instant;
use tracing::warn;

const REPEAT_EVERY: Duration = Duration::from_secs(1);
const MEASURE_EVERY: Duration = Duration::from_secs(5);
const PURGE_EVERY: Duration = Duration::from_mins(1);

/// When each is due.
#[derive(Debug)]
pub(crate) struct Upkeep {
    retention: Duration,
    /// `None` while nothing waits for Redis.
    repeat_at: Option<Instant>,
    measure_at: Instant,
    purge_at: Instant,
}

impl Upkeep {
    pub(crate) fn new(retention: Duration) -> Self {
        let now = Instant::now();
        Self { retention, repeat_at: None, measure_at: now, purge_at: now }
    }

    /// Facts wait for Redis, or may: those of a shard that was just leased.
    pub(crate) fn repeat_soon(&mut self) {
        let soon = Instant::now() + REPEAT_EVERY;
        self.repeat_at = Some(self.repeat_at.map_or(soon, |at| at.min(soon)));
    }

    /// Does what is due. What fails is tried again at its next time: facts go on meanwhile.
    pub(crate) async fn turn(&mut self, outbox: &Outbox, lease: &Lease) {
        if let Err(error) = self.do_due(outbox, lease).await {
            warn!(error = format!("{error:#}"), "upkeep failed");
        }
    }

    async fn do_due(&mut self, outbox: &Outbox, lease: &Lease) -> anyhow::Result<()> {
        let now = Instant::now();
        if self.repeat_at.is_some_and(|at| at <= now) {
            self.repeat_at = Some(now + REPEAT_EVERY);
            if !outbox.repeat(lease).await? {
                self.repeat_at = None;
            }
        }
        if self.measure_at <= now {
            self.measure_at = now + MEASURE_EVERY;
            outbox.measure().await?;
        }
        if self.purge_at <= now && lease.is_first() {
            self.purge_at = now + PURGE_EVERY;
            if outbox.purge(self.retention).await? {
                self.purge_at = now;
            }
        }
        Ok(())
    }
}
