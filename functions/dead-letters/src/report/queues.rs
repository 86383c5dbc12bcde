//! The queues that have dead letters.

use std::ops::ControlFlow;

use anyhow::bail;
use aws_sdk_sqs::Client;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::dead_letter::DeadLetter;
use crate::output::Progress;
use crate::queue::{DeadLetterQueue, End, Interrupt, Listed, Peeked, Queue, list, peek};

/// Messages of the look at a queue: a page of one receive.
const LOOK: usize = 10;

/// What `queues --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listing {
    pub(crate) queues: Vec<QueueRow>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct QueueRow {
    pub(crate) queue: String,
    pub(crate) url: String,
    pub(crate) fifo: bool,
    /// As SQS estimates it, with what is in flight or delayed.
    pub(crate) depth: u64,
    pub(crate) in_flight: u64,
    /// The oldest of the messages that were looked at.
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub(crate) oldest_sent_at: Option<DateTime<Utc>>,
    /// Whether these are all, so that there is no older one.
    pub(crate) oldest_is_exact: bool,
    pub(crate) sources: Vec<String>,
}

/// Lists the queues; also those without dead letters, if `all` are wanted. With it, what an operator
/// should know of it.
pub(crate) async fn queues(
    client: &Client,
    interrupt: &mut Interrupt,
    all: bool,
) -> anyhow::Result<(Listing, Vec<String>)> {
    let Listed { found, denied } = list(client).await?;
    let mut notes = Vec::new();
    if denied > 0 {
        notes.push(format!("{denied} queues are not among these: access to them is denied"));
    }
    let mut queues = Vec::new();
    for DeadLetterQueue { queue, sources } in found {
        let depth = queue.depth.total();
        if depth == 0 && !all {
            continue;
        }
        let (oldest_sent_at, looked_at) = oldest(interrupt, &queue).await?;
        queues.push(QueueRow {
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
    Ok((Listing { queues }, notes))
}

/// The oldest time of a few messages, and how many they are. SQS has it in `CloudWatch` only, minutes later.
async fn oldest(
    interrupt: &mut Interrupt,
    queue: &Queue,
) -> anyhow::Result<(Option<DateTime<Utc>>, usize)> {
    // With a redrive policy each read would count as a delivery.
    if queue.depth.visible == 0 || queue.redrive.is_some() {
        return Ok((None, 0));
    }
    let (mut oldest, mut looked_at) = (None, 0);
    // Who knows that there is no more need not wait for it.
    let enough = usize::try_from(queue.depth.visible).map_or(LOOK, |visible| visible.min(LOOK));
    let Peeked { end, .. } = peek(queue, &Progress::hidden(), interrupt, |message| {
        let sent = DeadLetter::read(&message, queue).summary.sent_at;
        oldest = oldest.into_iter().chain(sent).min();
        looked_at += 1;
        Ok(if looked_at < enough { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })
    .await?;
    if end == End::Interrupted {
        bail!("interrupted: what was received is visible again");
    }
    Ok((oldest, looked_at))
}
