//! Deletes what fits, a round at a time: received, exported, and only then deleted.
//!
//! What is deleted makes room for more: a FIFO queue hands out the next messages of a group. What does not
//! fit is held until the end, so that it does not come again.

use anyhow::Result;
use aws_sdk_sqs::types::Message;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::sleep;

use super::archive::Archive;
use crate::dead_letter::DeadLetter;
use crate::file::Record;
use crate::filter::Filter;
use crate::output::Progress;
use crate::queue::{End, Intake, Interrupt, LANES, PAGE, Page, Queue, delete};

/// Messages of a round, and the bytes of their bodies.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 64 << 20;

pub(super) struct Rounds<'a> {
    queue: &'a Queue,
    filter: &'a Filter,
    now: DateTime<Utc>,
    limit: u64,
    intake: Intake<'a>,
    archive: &'a mut Archive,
    /// What is exported and to be deleted, by its ids.
    round: Vec<String>,
    bytes: usize,
    matched: u64,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub(super) struct Counts {
    pub(super) read: u64,
    pub(super) deleted: u64,
    /// Messages that are exported and were not deleted.
    pub(super) undeleted: u64,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(
        queue: &'a Queue,
        filter: &'a Filter,
        now: DateTime<Utc>,
        limit: u64,
        intake: Intake<'a>,
        archive: &'a mut Archive,
    ) -> Self {
        let counts = Counts::default();
        let round = Vec::new();
        Self { queue, filter, now, limit, intake, archive, round, bytes: 0, matched: 0, counts }
    }

    /// Goes on until there is nothing more, or it is to end.
    pub(super) async fn run(
        &mut self,
        interrupt: &mut Interrupt,
        progress: &Progress,
    ) -> Result<End> {
        let mut end = None;
        loop {
            let is_over = end.is_some() && !self.intake.is_receiving();
            if is_over || self.round.len() >= MOST || self.bytes >= MOST_BYTES {
                self.delete(progress).await?;
            }
            if let (true, Some(end)) = (is_over, end) {
                return Ok(end);
            }
            tokio::select! {
                // Once it is to end, what is received then is not deleted any more.
                biased;
                () = interrupt.wait(), if end.is_none() => end = Some(End::Interrupted),
                page = self.intake.next(end.is_none()) => match page? {
                    Page::Messages(messages) => {
                        for message in messages {
                            if self.matched < self.limit && end != Some(End::Interrupted) {
                                self.add(message).await?;
                            }
                        }
                        if self.matched >= self.limit {
                            end = end.or(Some(End::Enough));
                        }
                    }
                    Page::Empty { .. } | Page::Full if !self.round.is_empty() => {
                        self.delete(progress).await?;
                    }
                    Page::Empty { deleted } if deleted == self.intake.count_deleted() => {
                        end = end.or(Some(End::Exhausted));
                    }
                    // It began before the last deletion, which may have made others visible.
                    Page::Empty { .. } => (),
                    Page::Full => end = end.or(Some(End::Full)),
                },
                () = sleep(self.archive.wait()), if !self.round.is_empty() => {
                    self.delete(progress).await?;
                }
            }
        }
    }

    /// What came of it, and what is held.
    pub(super) fn end(self) -> (Counts, Intake<'a>) {
        (self.counts, self.intake)
    }

    async fn add(&mut self, message: Message) -> Result<()> {
        self.counts.read += 1;
        let dead_letter = DeadLetter::read(&message, self.queue);
        if !self.filter.fits(&dead_letter, self.now) {
            return Ok(());
        }
        self.matched += 1;
        self.bytes += dead_letter.body.len();
        let record = Record::new(message, &dead_letter);
        let id = record.message_id.clone();
        self.archive.add(record).await?;
        self.round.push(id);
        Ok(())
    }

    /// Deletes what is exported.
    async fn delete(&mut self, progress: &Progress) -> Result<()> {
        self.archive.commit().await?;
        self.bytes = 0;
        let round = std::mem::take(&mut self.round);
        let batches: Vec<_> = round.chunks(PAGE).map(<[String]>::to_vec).collect();
        self.counts.undeleted += round.len() as u64;
        let deletions = batches.into_iter().map(|ids| {
            let held = ids.iter().filter_map(|id| Some((id.clone(), self.intake.receipt(id)?)));
            let deleting = delete(self.queue, held.collect());
            async move { deleting.await.map(|failed| (ids, failed)) }
        });
        let deletions: Vec<_> = deletions.collect();
        let mut deletions = stream::iter(deletions).buffer_unordered(LANES);
        while let Some(deletion) = deletions.next().await {
            let (mut ids, failed) = deletion?;
            ids.retain(|id| !failed.contains(id));
            for id in &ids {
                self.intake.deleted(id);
                self.counts.deleted += 1;
                self.counts.undeleted -= 1;
                progress.advance();
            }
        }
        Ok(())
    }
}
