//! Peeks at a queue: reads its messages, and leaves all of them visible again, in their order.

use std::ops::ControlFlow;

use aws_sdk_sqs::types::Message;
use tokio::time::sleep;

use super::intake::{Intake, Page};
use super::limits::{LIMITS, Limits};
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
    let mut intake = Intake::new(queue, limits.in_flight);
    let mut shown = 0;
    let end = read(limits, &mut intake, interrupt, |message| {
        shown += 1;
        see(message)
    })
    .await;
    // First of all, and whatever happened.
    let released = intake.release().await;
    match (end, released) {
        (Ok(end), Ok(())) => Ok(Peeked { read: shown, end }),
        (Err(error), Ok(())) | (Ok(_), Err(error)) => Err(error),
        (Err(error), Err(unreleased)) => Err(unreleased.context(format!("{error:#}"))),
    }
}

async fn read(
    limits: Limits,
    intake: &mut Intake<'_>,
    interrupt: &mut Interrupt,
    mut see: impl FnMut(Message) -> anyhow::Result<ControlFlow<()>>,
) -> anyhow::Result<End> {
    let out_of_time = sleep(limits.reading);
    tokio::pin!(out_of_time);
    let mut end = None;
    // What others of the receives bring is shown, too.
    while end.is_none() || intake.is_receiving() {
        tokio::select! {
            () = interrupt.wait(), if end.is_none() => end = Some(End::Interrupted),
            () = &mut out_of_time, if end.is_none() => end = Some(End::OutOfTime),
            page = intake.next(end.is_none()) => match page? {
                Page::Empty { .. } => end = end.or(Some(End::Exhausted)),
                Page::Full => end = end.or(Some(End::Full)),
                Page::Messages(messages) => {
                    for message in messages {
                        if end != Some(End::Enough) && see(message)?.is_break() {
                            end = Some(End::Enough);
                        }
                    }
                }
            },
        }
    }
    Ok(end.unwrap_or(End::Exhausted))
}
