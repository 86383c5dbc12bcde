//! What the relay does beside publishing, whatever becomes of that: cache writes repeated, gauges
//! set, old rows deleted. Each is tried again at its next time, whatever becomes of the others.
//!
//! | name | kind | labels | what |
//! |---|---|---|---|
//! | `relay_failures_total` | counter | `work` | failures of `publish` (a cycle), `repeat`, `measure` and `purge` |

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use store::{Lease, Outbox, OutboxError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::instruments::FAILURES;

const TICK: Duration = Duration::from_secs(1);
const MEASURE_EVERY: Duration = Duration::from_secs(5);
const PURGE_EVERY: Duration = Duration::from_mins(1);
/// Batches of a purge, at most.
const PURGES: usize = 20;

/// When each is due.
pub(crate) struct Upkeep {
    outbox: Arc<Outbox>,
    retention: Duration,
    leases: watch::Receiver<Option<Lease>>,
    uncached: watch::Receiver<u64>,
    /// The shards of the last lease.
    shards: Vec<i16>,
    /// Whether facts wait for Redis.
    repeats: bool,
    measure_at: Instant,
    purge_at: Instant,
}

impl Upkeep {
    pub(crate) fn new(
        outbox: Arc<Outbox>,
        retention: Duration,
        leases: watch::Receiver<Option<Lease>>,
        uncached: watch::Receiver<u64>,
    ) -> Self {
        let (measure_at, purge_at) = (Instant::now(), Instant::now());
        let shards = Vec::new();
        Self { outbox, retention, leases, uncached, shards, repeats: false, measure_at, purge_at }
    }

    /// Does what is due until `stop`, and at least once if there is a lease.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let is_last = stop.is_cancelled();
            let lease = self.leases.borrow_and_update().clone();
            if let Some(lease) = lease {
                self.do_due(&lease).await;
            }
            if is_last {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(TICK) => {}
                Ok(()) = self.leases.changed() => {}
            }
        }
    }

    async fn do_due(&mut self, lease: &Lease) {
        let now = Instant::now();
        // Whoever held a shard before may have left facts that wait for Redis.
        self.repeats |= lease.shards.iter().any(|shard| !self.shards.contains(shard));
        self.repeats |= self.uncached.has_changed().unwrap_or(false);
        self.uncached.mark_unchanged();
        self.shards.clone_from(&lease.shards);
        if self.repeats {
            self.repeats = report("repeat", self.outbox.repeat(lease).await).unwrap_or(true);
        }
        if self.measure_at <= now {
            self.measure_at = now + MEASURE_EVERY;
            report("measure", self.outbox.measure(lease).await);
        }
        if self.purge_at <= now {
            self.purge_at = now + PURGE_EVERY;
            self.purge(lease).await;
        }
    }

    async fn purge(&self, lease: &Lease) {
        for _ in 0..PURGES {
            if report("purge", self.outbox.purge(lease, self.retention).await) != Some(true) {
                return;
            }
        }
    }
}

fn report<T>(work: &'static str, result: Result<T, OutboxError>) -> Option<T> {
    result.map_err(|error| failed(work, &error.into())).ok()
}

/// Counts a failure, and logs it.
pub(crate) fn failed(work: &'static str, error: &anyhow::Error) {
    warn!(work, error = format!("{error:#}"), "the relay failed; it tries again");
    counter!(FAILURES.name, "work" => work).increment(1);
}
