//! Attachments that are to go: first their objects, then their rows.

use std::sync::Arc;

use cloud::AttachmentBucket;
use domain::AttachmentKey;
use futures::{StreamExt as _, stream};
use runtime::{Clock as _, Host, SystemClock};
use store::Store;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::Attachments;

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
        Self(Arc::new(Inner { store, bucket, config, clock, host }))
    }

    /// In a pod, sweeps at its pace until it is told to stop, and tries again after what failed; in a
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
        while !stop.is_cancelled() {
            let keys = self.store.deleted_attachments(BATCH).await?;
            let (found, mut gone) = (keys.len(), Vec::with_capacity(keys.len()));
            let mut removed =
                stream::iter(keys).map(|key| self.remove(key)).buffer_unordered(CONCURRENCY);
            while let Some(key) = removed.next().await {
                gone.extend(key);
            }
            self.store.forget_attachments(&gone).await?;
            if found > 0 {
                info!(found, gone = gone.len(), "swept attachments");
            }
            // Those that stayed would only be found again.
            if gone.len() < usize::from(BATCH) {
                break;
            }
        }
        Ok(())
    }

    /// The key, if its object is gone.
    async fn remove(&self, key: AttachmentKey) -> Option<AttachmentKey> {
        match self.bucket.remove(&key).await {
            Ok(()) => Some(key),
            Err(away) => {
                warn!(cause = away.to_string(), "an object was not removed");
                None
            }
        }
    }
}
