//! The read of a queue that lists and groups share: what fits the selection, and how much was read.

use std::ops::ControlFlow;

use anyhow::bail;
use chrono::{DateTime, Utc};

use crate::arguments::Which;
use crate::dead_letter::{DeadLetter, Summary};
use crate::output::Progress;
use crate::queue::{End, Interrupt, MOST_IN_FLIGHT, Peeked, Queue, peek};
use crate::reservoir::Reservoir;

/// What is read, and what ends it early.
pub(crate) struct Reading<'a> {
    pub(crate) queue: &'a Queue,
    pub(crate) now: DateTime<Utc>,
    pub(crate) progress: &'a Progress,
    pub(crate) interrupt: &'a mut Interrupt,
}

/// How much of a queue was read.
#[derive(Debug)]
pub(crate) struct Extent {
    pub(crate) read: u64,
    /// What the queue had before, as SQS estimates it.
    pub(crate) in_queue: u64,
    pub(crate) matched: u64,
    /// What an operator should know of it.
    pub(crate) notes: Vec<String>,
}

impl Extent {
    /// Whether everything was read.
    pub(crate) fn is_complete(&self) -> bool {
        self.read >= self.in_queue
    }
}

/// Passes what fits to `on`. Notes it if not everything was read.
pub(crate) async fn read(
    reading: Reading<'_>,
    which: &Which,
    on: impl FnMut(Summary) -> anyhow::Result<()> + Send,
) -> anyhow::Result<Extent> {
    read_all(reading, which, |_| (), on).await
}

/// The same; `see` is passed all of what fits before that.
pub(super) async fn read_all(
    reading: Reading<'_>,
    which: &Which,
    mut see: impl FnMut(&DeadLetter) + Send,
    mut on: impl FnMut(Summary) -> anyhow::Result<()> + Send,
) -> anyhow::Result<Extent> {
    let Reading { queue, now, progress, interrupt } = reading;
    let filter = which.filter();
    let limit = which.limit.unwrap_or(u64::MAX);
    let mut sample = which.sample.map(|most| Reservoir::new(most as usize));
    let mut matched = 0;
    let peeked = peek(queue, progress, interrupt, |message| {
        progress.advance();
        let dead_letter = DeadLetter::read(&message, queue);
        if !filter.fits(&dead_letter, now) {
            return Ok(ControlFlow::Continue(()));
        }
        matched += 1;
        see(&dead_letter);
        match &mut sample {
            Some(sample) => drop(sample.offer(dead_letter.summary)),
            None => on(dead_letter.summary)?,
        }
        Ok(if matched < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    });
    let peeked = peeked.await?;
    let mut notes: Vec<_> = incomplete(queue, peeked)?.into_iter().collect();
    if let Some(sample) = sample {
        let kept = sample.kept();
        notes.push(format!("{} of {matched} messages that fit, chosen at random", kept.len()));
        kept.into_iter().try_for_each(on)?;
    }
    Ok(Extent { read: peeked.read as u64, in_queue: queue.depth.total(), matched, notes })
}

/// Fails if the read was interrupted; says so if it is a part of the queue for another cause.
pub(crate) fn incomplete(queue: &Queue, peeked: Peeked) -> anyhow::Result<Option<String>> {
    let total = queue.depth.total();
    let part = format!("{} of about {total} messages of {}", peeked.read, queue.name);
    if peeked.end == End::Interrupted {
        bail!("interrupted: {part} were read, and are visible again");
    }
    let is_part = peeked.end != End::Enough && (peeked.read as u64) < total;
    Ok(is_part.then(|| format!("this is a sample: {part} could be read{}", why(queue, peeked.end))))
}

pub(crate) fn why(queue: &Queue, end: End) -> String {
    let others = queue.depth.in_flight;
    match end {
        End::Full => format!(". No more than {MOST_IN_FLIGHT} are held at a time"),
        End::OutOfTime => ". To read all takes too long".to_owned(),
        _ if others > 0 => format!(". {others} were in flight: somebody else had received them"),
        _ if queue.is_fifo => {
            ". Of a group SQS hands out ten messages at most until they are deleted".to_owned()
        }
        _ => String::new(),
    }
}
