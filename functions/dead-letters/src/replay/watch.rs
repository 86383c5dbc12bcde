//! What became of the messages of a stage: consumed, or back in the dead-letter queue.
//!
//! A message that was sent cannot be followed. But a message that is rejected is a dead letter before it
//! leaves its queue. So a stage has passed when its target queues are empty and none of its messages is in
//! the dead-letter queue. On queues that are never empty, silence has to be enough: `--accept-silence`.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use super::Run;
use super::state::{State, Stop};
use crate::dead_letter::DeadLetter;
use crate::ledger::Lease;
use crate::output::Progress;
use crate::queue::{End, Interrupt, Peeked, peek};

/// Between looks at the queues.
const LOOK: Duration = Duration::from_secs(1);
/// Looks in a row that find the target queues empty: SQS counts by estimates.
const EMPTY_LOOKS: u32 = 2;

/// Watches a stage; `None` if it passed.
///
/// # Errors
/// When SQS or the ledger does not answer.
pub(super) async fn watch(
    run: &Run<'_>,
    state: &mut State,
    interrupt: &mut Interrupt,
    sent: &[String],
) -> Result<Option<Stop>> {
    let sent: HashSet<&str> = sent.iter().map(String::as_str).collect();
    let end = Instant::now() + run.wait;
    let (mut empty, mut renewed) = (0, Instant::now());
    let mut least = u64::MAX;
    loop {
        let depth = run.queue.refreshed().await?.depth.total();
        least = least.min(depth);
        empty = if run.targets.depth().await? == 0 { empty + 1 } else { 0 };
        let (is_over, is_consumed) = (Instant::now() >= end, empty >= EMPTY_LOOKS);
        if depth > least || is_over || is_consumed {
            let grown = depth - least;
            if let Some(stop) = came_back(run, state, interrupt, &sent, grown).await? {
                return Ok(Some(stop));
            }
            // What came were others.
            least = depth;
        }
        if is_consumed || (is_over && run.accepts_silence) {
            return Ok(None);
        }
        if is_over {
            return Ok(Some(Stop::Canary(format!(
                "nobody knows yet what became of the {} messages that were sent: their queue is not \
                 empty after {} seconds. `--wait` waits longer, `--accept-silence` takes it for good \
                 that none came back",
                sent.len(),
                run.wait.as_secs()
            ))));
        }
        tokio::select! {
            () = interrupt.wait() => return Ok(Some(Stop::Interrupted)),
            () = sleep(LOOK) => (),
        }
        if renewed.elapsed() >= Lease::RENEWAL {
            run.ledger.renew(&state.record, &run.lease).await?;
            renewed = Instant::now();
        }
    }
}

/// Looks for messages of the stage in the dead-letter queue, which has grown by so many.
async fn came_back(
    run: &Run<'_>,
    state: &mut State,
    interrupt: &mut Interrupt,
    sent: &HashSet<&str>,
    grown: u64,
) -> Result<Option<Stop>> {
    let (mut returned, mut reason) = (0, None);
    let progress = &Progress::hidden();
    let peeked = peek(run.queue, progress, interrupt, |message| {
        let dead_letter = DeadLetter::read(&message, run.queue);
        if sent.contains(dead_letter.sent_id()) {
            returned += 1;
            state.came_back(&dead_letter);
            reason = dead_letter.summary.reason;
        }
        Ok(ControlFlow::Continue(()))
    });
    let Peeked { read, end } = peeked.await?;
    if end == End::Interrupted {
        return Ok(Some(Stop::Interrupted));
    }
    if returned > 0 {
        let reason = reason.map(|reason| format!(", the last one for {reason}"));
        let reason = reason.unwrap_or_default();
        let stop = format!("{returned} of {} messages came back{reason}", sent.len());
        return Ok(Some(Stop::Canary(stop)));
    }
    let total = run.queue.refreshed().await?.depth.total();
    Ok((grown > 0 && (read as u64) < total).then(|| {
        Stop::Canary(format!(
            "{grown} dead letters came meanwhile, and only {read} of {total} can be read: they may be \
             of the {} messages that were sent",
            sent.len()
        ))
    }))
}
