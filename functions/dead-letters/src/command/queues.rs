//! `dead-letters queues`: the queues that have dead letters.

use std::ops::ControlFlow;

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Context;
use crate::dead_letter::DeadLetter;
use crate::output::{self, HEADING, age, printable};
use crate::queue::{DeadLetterQueue, End, Interrupt, Listed, Peeked, Queue, list, peek};

/// Messages of the look at a queue: a page of one receive.
const LOOK: usize = 10;

/// A queue of what `queues --json` prints.
#[derive(Serialize)]
struct Row {
    queue: String,
    url: String,
    fifo: bool,
    /// As SQS estimates it, with what is in flight or delayed.
    depth: u64,
    in_flight: u64,
    /// The oldest of the messages that were looked at.
    oldest_sent_at: Option<DateTime<Utc>>,
    /// Whether these are all, so that there is no older one.
    oldest_is_exact: bool,
    sources: Vec<String>,
}

#[derive(Serialize)]
struct Report {
    queues: Vec<Row>,
}

pub(super) async fn run(context: &Context, all: bool, json: bool) -> Result<()> {
    let Listed { found, denied } = list(&context.client).await?;
    if denied > 0 {
        output::note(&format!("{denied} queues are not among these: access to them is denied"));
    }
    let mut interrupt = Interrupt::listen()?;
    let mut queues = Vec::new();
    for DeadLetterQueue { queue, sources } in found {
        let depth = queue.depth.total();
        if depth == 0 && !all {
            continue;
        }
        let (oldest_sent_at, looked_at) = oldest(&mut interrupt, &queue).await?;
        queues.push(Row {
            queue: queue.name,
            url: queue.url,
            fifo: queue.is_fifo,
            depth,
            in_flight: queue.depth.in_flight,
            oldest_sent_at,
            oldest_is_exact: looked_at as u64 >= depth,
            sources,
        });
    }
    if json { output::json(&Report { queues }) } else { print(&queues, context.now) }
}

/// The oldest time of a few messages, and how many they are. SQS has it in `CloudWatch` only, minutes later.
async fn oldest(
    interrupt: &mut Interrupt,
    queue: &Queue,
) -> Result<(Option<DateTime<Utc>>, usize)> {
    // With a redrive policy each read would count as a delivery.
    if queue.depth.visible == 0 || queue.redrive.is_some() {
        return Ok((None, 0));
    }
    let (mut oldest, mut looked_at) = (None, 0);
    let Peeked { end, .. } = peek(queue, interrupt, |message| {
        let sent = DeadLetter::read(&message, queue).summary.sent_at;
        oldest = oldest.into_iter().chain(sent).min();
        looked_at += 1;
        Ok(if looked_at < LOOK { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })
    .await?;
    if end == End::Interrupted {
        bail!("interrupted: what was received is visible again");
    }
    Ok((oldest, looked_at))
}

fn print(queues: &[Row], now: DateTime<Utc>) -> Result<()> {
    let heading = format!("{:48}  {:>8}  {:>7}  SOURCES", "QUEUE", "DEPTH", "OLDEST");
    output::line(&format!("{HEADING}{heading}{HEADING:#}"))?;
    for row in queues {
        let seconds = row.oldest_sent_at.map(|time| (now - time).num_seconds());
        let oldest = age(seconds.map(|age| u64::try_from(age).unwrap_or_default()));
        let or_older = if row.oldest_is_exact || row.oldest_sent_at.is_none() { "" } else { "≥" };
        output::line(&format!(
            "{:48}  {:>8}  {:>7}  {}",
            printable(&row.queue),
            row.depth,
            format!("{or_older}{oldest}"),
            row.sources.join(", "),
        ))?;
    }
    Ok(())
}
