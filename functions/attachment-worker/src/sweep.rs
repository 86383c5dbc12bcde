//! Attachments that are to go: first their objects, then their rows.

use std::sync::Arc;

use domain::AttachmentKey;
use futures::{StreamExt as _, stream};
use metrics::counter;
use records::{AttachmentBucket, BucketUnavailable};
use runtime::{Clock as _, Host, SystemClock};
use store::Store;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::Attachments;
use crate::instruments::{FAILED, INSTRUMENTS, REMOVED};

/// Attachments taken at a time.
const BATCH: u16 = 100;
/// Objects removed at a time.
const CONCURRENCY: usize = 8;

/// Sweeps. Clones are one sweep; several at a time do no harm.
#[derive(Clone)]
pub(crate) struct Sweep(Arc<Inner>);

struct Inner {
    store: Store,
    bucket: AttachmentBucket,
    config: Attachments,
    clock: SystemClock,
    host: Host,
}

impl Sweep {
    pub(crate) fn new(
        store: Store,
        bucket: AttachmentBucket,
        config: Attachments,
        clock: SystemClock,
        host: Host,
    ) -> Self {
        instruments::describe(INSTRUMENTS);
        Self(Arc::new(Inner { store, bucket, config, clock, host }))
    }

    /// In a pod, sweeps at intervals until it is stopped, and tries again after what failed; in a
    /// Lambda once, and its schedule tries again.
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        if self.0.host == Host::Lambda {
            return self.0.sweep(&stop).await;
        }
        let mut ticks = interval(self.0.config.sweep_every());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.0.sweep(&stop).await {
                warn!(error = format!("{error:#}"), "a sweep failed");
            }
        }
        Ok(())
    }
}

impl Inner {
    async fn sweep(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        let now = self.clock.now();
        let (pending, rejected) = (self.config.pending_for(), self.config.rejected_for());
        self.store.expire_attachments(now - pending, now - rejected, now).await?;
        while !stop.is_cancelled() && self.sweep_batch().await? {}
        Ok(())
    }

    /// Takes attachments that are due; says whether to go on. Those that cannot be removed were
    /// postponed when they were taken, and so stand in no other's way.
    async fn sweep_batch(&self) -> anyhow::Result<bool> {
        let keys = self.store.take_removals(self.clock.now(), BATCH).await?;
        if keys.is_empty() {
            return Ok(false);
        }
        let mut batch = Batch::default();
        let mut attempts =
            stream::iter(keys).map(|key| self.remove(key)).buffer_unordered(CONCURRENCY);
        while let Some((key, result)) = attempts.next().await {
            batch.add(key, result);
        }
        self.store.remove_attachments(&batch.removed).await?;
        batch.report();
        Ok(!batch.is_pointless())
    }

    async fn remove(&self, key: AttachmentKey) -> (AttachmentKey, Result<(), BucketUnavailable>) {
        let result = self.bucket.remove(&key).await;
        (key, result)
    }
}

/// What became of the attachments of one batch.
#[derive(Default)]
struct Batch {
    removed: Vec<AttachmentKey>,
    failed: u64,
    /// S3 did not answer, or not well.
    is_unavailable: bool,
}

impl Batch {
    fn add(&mut self, key: AttachmentKey, result: Result<(), BucketUnavailable>) {
        match result {
            Ok(()) => self.removed.push(key),
            Err(error) => {
                let cause = error.to_string();
                warn!(task = %key.task, attachment = %key.id, cause, "an object was not removed");
                self.is_unavailable |= !error.is_refusal();
                self.failed += 1;
            }
        }
    }

    /// Whether the next batch would fail as well.
    fn is_pointless(&self) -> bool {
        self.removed.is_empty() && self.is_unavailable
    }

    fn report(&self) {
        let removed = u64::try_from(self.removed.len()).unwrap_or(u64::MAX);
        counter!(REMOVED.name).increment(removed);
        counter!(FAILED.name).increment(self.failed);
        info!(removed, failed = self.failed, "swept attachments");
    }
}
