//! The read of a queue that `ls` and `groups` share: what is selected, and how much was read.

use std::ops::ControlFlow;

use anyhow::bail;

use super::Context;

use crate::arguments::Which;
use crate::dead_letter::{DeadLetter, Summary};
use crate::output::{self, Progress};
use crate::queue::{End, Interrupt, MOST_IN_FLIGHT, Peeked, Queue, peek};
use crate::reservoir::Reservoir;

/// How much of a queue was read.
pub(super) struct Extent {
    pub(super) read: u64,
    /// What the queue had before, as SQS estimates it.
    pub(super) in_queue: u64,
    pub(super) matched: u64,
}

/// Passes what fits to `on`, and notes it if not everything was read.
pub(super) async fn read(
    context: &Context,
    queue: &Queue,
    which: &Which,
    progress: &Progress,
    on: impl FnMut(Summary) -> anyhow::Result<()>,
) -> anyhow::Result<Extent> {
    read_all(context, queue, which, progress, |_| (), on).await
}

/// The same; `see` is passed all of what fits before that.
pub(super) async fn read_all(
    context: &Context,
    queue: &Queue,
    which: &Which,
    progress: &Progress,
    mut see: impl FnMut(&DeadLetter),
    mut on: impl FnMut(Summary) -> anyhow::Result<()>,
) -> anyhow::Result<Extent> {
    let (filter, now) = (which.filter(), context.now);
    let limit = which.limit.unwrap_or(u64::MAX);
    let mut sample = which.sample.map(|most| Reservoir::new(most as usize));
    let mut matched = 0;
    let mut interrupt = Interrupt::listen()?;
    let peeked = peek(queue, &mut interrupt, |message| {
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
    if let Some(shortfall) = incomplete(queue, peeked)? {
        output::note(&shortfall);
    }
    if let Some(sample) = sample {
        let kept = sample.kept();
        output::note(&format!("{} of {matched} messages that fit, chosen at random", kept.len()));
        kept.into_iter().try_for_each(on)?;
    }
    Ok(Extent { read: peeked.read as u64, in_queue: queue.depth.total(), matched })
}

/// Fails if the read was interrupted; says so if it is a part of the queue for another cause.
pub(super) fn incomplete(queue: &Queue, peeked: Peeked) -> anyhow::Result<Option<String>> {
    let total = queue.depth.total();
    let part = format!("{} of about {total} messages of {}", peeked.read, queue.name);
    if peeked.end == End::Interrupted {
        bail!("interrupted: {part} were read, and are visible again");
    }
    let is_part = peeked.end != End::Enough && (peeked.read as u64) < total;
    Ok(is_part.then(|| format!("this is a sample: {part} could be read{}", why(queue, peeked.end))))
}

pub(super) fn why(queue: &Queue, end: End) -> String {
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
