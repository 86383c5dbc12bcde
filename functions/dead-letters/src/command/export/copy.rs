//! What fits the selection, written as it is received.

use anyhow::{Result, ensure};
use chrono::{DateTime, Utc};

use crate::arguments::Which;
use crate::dead_letter::DeadLetter;
use crate::file::{Record, Writer};
use crate::output::Progress;
use crate::queue::{End, Intake, Interrupt, Page, Queue};
use crate::reservoir::Reservoir;

/// Bytes of bodies of a random sample, which is held until the end.
const MOST_SAMPLED: usize = 256 << 20;

const TOO_LARGE: &str = "so large a sample does not fit into memory: choose a smaller one, or export all with `--limit`";

pub(super) struct Copied {
    pub(super) read: usize,
    pub(super) end: End,
}

/// Writes each message that fits, or a random sample of them.
pub(super) async fn copy(
    queue: &Queue,
    which: &Which,
    now: DateTime<Utc>,
    intake: &mut Intake<'_>,
    interrupt: &mut Interrupt,
    writer: &mut Writer,
    progress: &Progress,
) -> Result<Copied> {
    let filter = which.filter();
    let limit = which.limit.unwrap_or(u64::MAX);
    let mut sample = which.sample.map(|most| Reservoir::new(most as usize));
    let (mut read, mut matched, mut sampled, mut end) = (0, 0, 0, None);
    // What others of the receives bring is read, too.
    while end.is_none() || intake.is_receiving() {
        let page = tokio::select! {
            () = interrupt.wait(), if end.is_none() => {
                end = Some(End::Interrupted);
                continue;
            }
            page = intake.next(end.is_none()) => page?,
        };
        let messages = match page {
            Page::Messages(messages) => messages,
            Page::Empty { .. } => {
                end = end.or(Some(End::Exhausted));
                continue;
            }
            Page::Full => {
                end = end.or(Some(End::Full));
                continue;
            }
        };
        for message in messages {
            if matches!(end, Some(End::Enough | End::Interrupted)) {
                break;
            }
            read += 1;
            progress.advance();
            let dead_letter = DeadLetter::read(&message, queue);
            if !filter.fits(&dead_letter, now) {
                continue;
            }
            matched += 1;
            let record = Record::new(message, &dead_letter);
            match &mut sample {
                Some(sample) => {
                    sampled += record.body.len();
                    let dropped = sample.offer((read, record));
                    sampled -= dropped.map_or(0, |(_, record)| record.body.len());
                    ensure!(sampled <= MOST_SAMPLED, TOO_LARGE);
                }
                None => writer.add(record).await?,
            }
            if matched >= limit {
                end = Some(End::Enough);
            }
        }
    }
    if let Some(sample) = sample {
        let mut kept = sample.kept();
        // As they were read: a group in its order.
        kept.sort_by_key(|(place, _)| *place);
        for (_, record) in kept {
            writer.add(record).await?;
        }
    }
    Ok(Copied { read, end: end.unwrap_or(End::Exhausted) })
}
