//! The release of all that is held: of each FIFO group the first message last.
//!
//! It takes as long as SQS takes: each request has its time, all of them together have none. What waits for
//! its release is held meanwhile, so that nothing is visible by its timeout before its turn.

use anyhow::{Context as _, bail};
use futures::{StreamExt as _, stream};

use super::Queue;
use super::held::Held;
use super::limits::{LANES, Limits, RELEASED_AT_A_TIME, RELEASES, UNANSWERED};
use super::visibility::{self, Batch, batches, extend};
use crate::output::Progress;

struct Release<'a> {
    queue: &'a Queue,
    limits: Limits,
    held: Held,
    progress: &'a Progress,
    /// Requests in a row that had no answer, and the last one's error.
    unanswered: usize,
    error: Option<anyhow::Error>,
}

/// Makes all that is held visible again.
///
/// # Errors
/// When SQS does not release them. Then they are visible by their timeout.
pub(super) async fn release(
    queue: &Queue,
    limits: Limits,
    held: Held,
    progress: &Progress,
) -> anyhow::Result<()> {
    let stages = held.stages();
    let mut release = Release { queue, limits, held, progress, unanswered: 0, error: None };
    let released = release.stages(stages).await;
    progress.releasing(0);
    released.with_context(|| {
        let minutes = limits.visibility.as_secs() / 60;
        format!(
            "making messages of {} visible again; SQS does it in {minutes} minutes at the latest",
            queue.name
        )
    })
}

impl Release<'_> {
    async fn stages(&mut self, stages: [Vec<String>; 2]) -> anyhow::Result<()> {
        for stage in stages {
            self.stage(stage).await?;
        }
        Ok(())
    }

    async fn stage(&mut self, mut ids: Vec<String>) -> anyhow::Result<()> {
        for _ in 0..RELEASES {
            for some in ids.chunks(RELEASED_AT_A_TIME) {
                self.extend().await;
                self.release(some).await?;
            }
            ids.retain(|id| self.held.is_ours(id));
            if ids.is_empty() {
                return Ok(());
            }
        }
        let count = ids.len();
        match self.error.take() {
            Some(error) => Err(error.context(format!("{count} of them are not released"))),
            None => bail!("SQS does not release {count} of them"),
        }
    }

    /// Holds what waits.
    async fn extend(&mut self) {
        let batches = batches(&self.held.newest(&self.held.to_extend()));
        let extensions = batches.into_iter().map(|batch| {
            let Self { queue, limits, .. } = *self;
            extend(queue, batch, limits.visibility)
        });
        let extensions: Vec<_> = extensions.collect();
        let mut extensions = stream::iter(extensions).buffer_unordered(LANES);
        while let Some((ids, since)) = extensions.next().await {
            self.held.extended(&ids, since);
        }
    }

    async fn release(&mut self, ids: &[String]) -> anyhow::Result<()> {
        let queue = self.queue;
        let releases = batches(&self.held.receipts(ids)).into_iter().map(|batch| async move {
            let held = visibility::release(queue, &batch).await;
            (batch, held)
        });
        let releases: Vec<_> = releases.collect();
        let mut releases = stream::iter(releases).buffer_unordered(LANES);
        while let Some((batch, held)) = releases.next().await {
            self.settle(&batch, held)?;
            self.progress.releasing(self.held.len());
        }
        Ok(())
    }

    /// What had no answer is held still, and tried again; unless nothing has an answer any more.
    fn settle(&mut self, batch: &Batch, held: anyhow::Result<Batch>) -> anyhow::Result<()> {
        let held = match held {
            Ok(held) => {
                self.unanswered = 0;
                held
            }
            Err(error) => {
                self.unanswered += 1;
                if self.unanswered >= UNANSWERED {
                    return Err(error);
                }
                self.error = Some(error);
                return Ok(());
            }
        };
        for (id, receipt) in batch.iter().filter(|one| !held.contains(one)) {
            if self.held.receipt(id) == Some(receipt) {
                self.held.remove(id);
            }
        }
        Ok(())
    }
}
