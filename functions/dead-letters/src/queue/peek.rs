//! Peeks at a queue: reads its messages, and leaves all of them visible again, in their order.
//!
//! Everything received is held until the end, for SQS would deliver what is released at once again. A
//! receive that has begun is never cancelled, since SQS may have handed out messages by then.

use std::ops::ControlFlow;
use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::time::sleep;
use uuid::Uuid;

use super::held::Held;
use super::limits::{LANES, LIMITS, Limits, PAGE, VISIBILITY, WAIT};
use super::release::release;
use super::{Interrupt, Queue};

/// What a read came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peeked {
    /// Messages that were shown, each once.
    pub(crate) read: usize,
    pub(crate) end: End,
}

/// Why a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing more is visible.
    Exhausted,
    /// Who reads wanted no more.
    Enough,
    /// No more may be in flight.
    Full,
    /// It took too long.
    OutOfTime,
    /// The process is to end.
    Interrupted,
}

/// Shows each message to `see`, until there is none, it wants no more, or a limit is reached.
pub(crate) async fn peek(
    queue: &Queue,
    interrupt: &mut Interrupt,
    see: impl FnMut(Message) -> anyhow::Result<ControlFlow<()>>,
) -> anyhow::Result<Peeked> {
    peek_within(LIMITS, queue, interrupt, see).await
}

pub(super) async fn peek_within(
    limits: Limits,
    queue: &Queue,
    interrupt: &mut Interrupt,
    mut see: impl FnMut(Message) -> anyhow::Result<ControlFlow<()>>,
) -> anyhow::Result<Peeked> {
    let mut held = Held::default();
    let mut shown = 0;
    let end = read(limits, queue, interrupt, &mut held, |message| {
        shown += 1;
        see(message)
    })
    .await;
    // First of all, and whatever happened.
    let released = release(queue, held).await;
    match (end, released) {
        (Ok(end), Ok(())) => Ok(Peeked { read: shown, end }),
        (Err(error), Ok(())) | (Ok(_), Err(error)) => Err(error),
        (Err(error), Err(unreleased)) => Err(unreleased.context(format!("{error:#}"))),
    }
}

async fn read(
    limits: Limits,
    queue: &Queue,
    interrupt: &mut Interrupt,
    held: &mut Held,
    mut see: impl FnMut(Message) -> anyhow::Result<ControlFlow<()>>,
) -> anyhow::Result<End> {
    let out_of_time = sleep(limits.reading);
    tokio::pin!(out_of_time);
    let mut receives = FuturesUnordered::new();
    let mut pages = 0;
    let mut end = None;
    loop {
        // A short queue is not worth many receives at a time.
        while end.is_none() && receives.len() < LANES.min(1 + pages) {
            if held.len() + (receives.len() + 1) * PAGE > limits.in_flight {
                end = Some(Ok(End::Full));
            } else {
                receives.push(receive(queue));
            }
        }
        tokio::select! {
            () = interrupt.wait(), if end.is_none() => end = Some(Ok(End::Interrupted)),
            () = &mut out_of_time, if end.is_none() => end = Some(Ok(End::OutOfTime)),
            page = receives.next() => match page {
                None => break,
                Some(Err(error)) => end = Some(Err(error)),
                Some(Ok(page)) if page.is_empty() => end = end.or(Some(Ok(End::Exhausted))),
                Some(Ok(page)) => {
                    pages += 1;
                    let is_wanted = !matches!(end, Some(Ok(End::Enough) | Err(_)));
                    end = show(page, held, is_wanted, &mut see).or(end);
                }
            },
        }
    }
    end.unwrap_or(Ok(End::Exhausted))
}

/// Holds the messages of a page, and shows them if they are wanted.
fn show(
    page: Vec<Message>,
    held: &mut Held,
    is_wanted: bool,
    see: &mut impl FnMut(Message) -> anyhow::Result<ControlFlow<()>>,
) -> Option<anyhow::Result<End>> {
    // All of them before the first is shown: what shows them may fail.
    let new: Vec<_> = page.into_iter().filter(|message| held.add(message)).collect();
    if !is_wanted {
        return None;
    }
    new.into_iter().find_map(|message| match see(message) {
        Ok(ControlFlow::Continue(())) => None,
        Ok(ControlFlow::Break(())) => Some(Ok(End::Enough)),
        Err(error) => Some(Err(error)),
    })
}

async fn receive(queue: &Queue) -> anyhow::Result<Vec<Message>> {
    // A receive that is repeated because its answer was lost brings the same messages.
    let attempt = queue.is_fifo.then(|| Uuid::new_v4().to_string());
    let answer = queue
        .client
        .receive_message()
        .queue_url(&queue.url)
        .max_number_of_messages(i32::try_from(PAGE)?)
        .wait_time_seconds(seconds(WAIT))
        .visibility_timeout(seconds(VISIBILITY))
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All")
        .set_receive_request_attempt_id(attempt)
        .send()
        .await;
    match answer {
        Ok(answer) => Ok(answer.messages.unwrap_or_default()),
        // Others hold so many that nothing more is handed out. A FIFO queue says it by an empty answer.
        Err(SdkError::ServiceError(error)) if error.err().is_over_limit() => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("receiving from {}", queue.name)),
    }
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}
