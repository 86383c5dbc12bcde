//! What fits the selection, written as it is received.

use std::ops::ControlFlow;

use anyhow::{Result, ensure};
use aws_sdk_sqs::types::Message;
use chrono::{DateTime, Utc};

use crate::arguments::Which;
use crate::dead_letter::DeadLetter;
use crate::file::{Record, Writer};
use crate::filter::Filter;
use crate::output::Progress;
use crate::queue::{Interrupt, LIMITS, Peeked, Queue, Viewer, peek_within};
use crate::reservoir::Reservoir;

/// Bytes of bodies of a random sample, which is held until the end.
const MOST_SAMPLED: usize = 256 << 20;

const TOO_LARGE: &str = "so large a sample does not fit into memory: choose a smaller one, or export all with `--limit`";

/// Writes each message that fits, or keeps a random sample of them.
struct Copy<'a> {
    queue: &'a Queue,
    filter: Filter,
    now: DateTime<Utc>,
    limit: u64,
    writer: &'a mut Writer,
    progress: &'a Progress,
    read: usize,
    matched: u64,
    /// Each with its place among what was read.
    sample: Option<Reservoir<(usize, Record)>>,
    sampled_bytes: usize,
}

/// Writes what is selected.
pub(super) async fn copy(
    queue: &Queue,
    which: &Which,
    now: DateTime<Utc>,
    interrupt: &mut Interrupt,
    writer: &mut Writer,
    progress: &Progress,
) -> Result<Peeked> {
    let mut copy = Copy {
        queue,
        filter: which.filter(),
        now,
        limit: which.limit.unwrap_or(u64::MAX),
        writer,
        progress,
        read: 0,
        matched: 0,
        sample: which.sample.map(|most| Reservoir::new(most as usize)),
        sampled_bytes: 0,
    };
    let peeked = peek_within(LIMITS, queue, progress, interrupt, &mut copy).await?;
    if let Some(sample) = copy.sample {
        let mut kept = sample.kept();
        // As they were read: a group in its order.
        kept.sort_by_key(|(place, _)| *place);
        for (_, record) in kept {
            copy.writer.add(record).await?;
        }
    }
    Ok(peeked)
}

impl Viewer for &mut Copy<'_> {
    async fn see(&mut self, message: Message) -> Result<ControlFlow<()>> {
        self.read += 1;
        self.progress.advance();
        let dead_letter = DeadLetter::read(&message, self.queue);
        if !self.filter.fits(&dead_letter, self.now) {
            return Ok(ControlFlow::Continue(()));
        }
        self.matched += 1;
        let record = Record::new(message, &dead_letter);
        let (place, bytes) = (self.read, record.body.len());
        match &mut self.sample {
            Some(sample) => {
                let dropped = sample.offer((place, record));
                self.sampled_bytes += bytes;
                self.sampled_bytes -= dropped.map_or(0, |(_, record)| record.body.len());
                ensure!(self.sampled_bytes <= MOST_SAMPLED, TOO_LARGE);
            }
            None => self.writer.add(record).await?,
        }
        let has_enough = self.matched >= self.limit;
        Ok(if has_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}
