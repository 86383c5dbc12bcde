//! Peeks at a queue: reads its messages, and leaves all of them visible again, in their order.

use std::future::ready;
use std::ops::ControlFlow;

use aws_sdk_sqs::types::Message;
use causes::with_causes;
use tokio::time::sleep;

use super::intake::{Intake, Page};
use super::limits::{LIMITS, Limits};
use super::{Interrupt, Queue};
use crate::output::Progress;

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

/// Who is shown what a read receives.
pub(crate) trait Viewer: Send {
    /// Whether it wants more. It may wait: what was received is held meanwhile.
    fn see(
        &mut self,
        message: Message,
    ) -> impl Future<Output = anyhow::Result<ControlFlow<()>>> + Send;
}

impl<F: FnMut(Message) -> anyhow::Result<ControlFlow<()>> + Send> Viewer for F {
    fn see(
        &mut self,
        message: Message,
    ) -> impl Future<Output = anyhow::Result<ControlFlow<()>>> + Send {
        ready(self(message))
    }
}

/// Shows each message to `viewer`, until there is none, it wants no more, or a limit is reached.
pub(crate) async fn peek(
    queue: &Queue,
    progress: &Progress,
    interrupt: &mut Interrupt,
    viewer: impl FnMut(Message) -> anyhow::Result<ControlFlow<()>> + Send,
) -> anyhow::Result<Peeked> {
    peek_within(LIMITS, queue, progress, interrupt, viewer).await
}

/// The same within other limits.
pub(crate) async fn peek_within(
    limits: Limits,
    queue: &Queue,
    progress: &Progress,
    interrupt: &mut Interrupt,
    mut viewer: impl Viewer,
) -> anyhow::Result<Peeked> {
    let mut intake = Intake::new(queue, limits);
    let peeked = read(limits, &mut intake, interrupt, &mut viewer).await;
    // First of all, and whatever happened.
    let released = intake.release(progress).await;
    match (peeked, released) {
        (Ok(peeked), Ok(())) => Ok(peeked),
        (Err(error), Ok(())) | (Ok(_), Err(error)) => Err(error),
        (Err(error), Err(unreleased)) => Err(unreleased.context(with_causes(error.as_ref()))),
    }
}

async fn read(
    limits: Limits,
    intake: &mut Intake<'_>,
    interrupt: &mut Interrupt,
    viewer: &mut impl Viewer,
) -> anyhow::Result<Peeked> {
    let out_of_time = sleep(limits.reading);
    tokio::pin!(out_of_time);
    let (mut read, mut end) = (0, None);
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
                        if end == Some(End::Enough) {
                            break;
                        }
                        read += 1;
                        if viewer.see(message).await?.is_break() {
                            end = Some(End::Enough);
                        }
                    }
                }
            },
        }
    }
    Ok(Peeked { read, end: end.unwrap_or(End::Exhausted) })
}
