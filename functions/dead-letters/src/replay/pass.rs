//! One way through the dead-letter queue: what is selected leaves it, until there is no more, or enough left.

use std::collections::{BTreeMap, HashSet};

use anyhow::Result;
use aws_sdk_sqs::types::Message;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::time::{Instant, interval_at};
use uuid::Uuid;

use super::Run;
use super::outgoing::Outgoing;
use super::state::{State, Stop};
use super::transfer::{Outcome, Transferred, transfer};
use crate::dead_letter::DeadLetter;
use crate::ledger::Lease;
use crate::queue::{Intake, Interrupt, LANES, LIMITS, PAGE, Page};
use crate::ready::Ready;

/// Batches on their way at a time.
const BATCHES: usize = 2 * LANES;
/// Bytes of a batch: what every server that speaks the protocol takes. A larger message goes alone.
const BATCH_BYTES: usize = 256 * 1_024;
/// Messages, and their bytes, that are received ahead.
const READY: usize = BATCHES * PAGE;
const READY_BYTES: usize = 32 * 1_024 * 1_024;

/// What a pass moves.
#[derive(Clone, Copy)]
pub(super) enum Which<'a> {
    /// What the run selects: so many messages at most.
    Selected(u64),
    /// What the run sent before, by its ids, and perhaps did not delete.
    SentBefore(&'a HashSet<Uuid>),
}

/// What a pass came to.
pub(super) struct Passed {
    /// The new ids of the messages that were sent.
    pub(super) sent: Vec<String>,
    /// Whether something that is selected may be left.
    pub(super) has_more: bool,
    pub(super) stop: Option<Stop>,
}

struct Pass<'a> {
    run: &'a Run<'a>,
    /// Nothing but these.
    only: Option<&'a HashSet<Uuid>>,
    intake: Intake<'a>,
    ready: Ready<Outgoing>,
    batches: FuturesUnordered<BoxFuture<'a, Result<Vec<Transferred>>>>,
    /// How many messages may still be selected.
    left: u64,
    sent: Vec<String>,
    stop: Option<Stop>,
}

/// Moves messages.
///
/// # Errors
/// When what is held could not be released. What was moved is recorded.
pub(super) async fn pass<'a>(
    run: &'a Run<'a>,
    state: &mut State,
    interrupt: &mut Interrupt,
    which: Which<'a>,
) -> Result<Passed> {
    let (only, left) = match which {
        Which::Selected(most) => (None, most),
        Which::SentBefore(ids) => (Some(ids), u64::MAX),
    };
    let mut pass = Pass {
        run,
        only,
        intake: Intake::new(run.queue, LIMITS),
        ready: Ready::new(),
        batches: FuturesUnordered::new(),
        left,
        sent: Vec::new(),
        stop: None,
    };
    let has_more = pass.go(state, interrupt).await;
    let Pass { intake, sent, stop, .. } = pass;
    intake.release(&state.progress).await?;
    Ok(Passed { sent, has_more, stop })
}

impl Pass<'_> {
    /// Whether something that is selected may be left.
    async fn go(&mut self, state: &mut State, interrupt: &mut Interrupt) -> bool {
        let mut renewals = interval_at(Instant::now() + Lease::RENEWAL, Lease::RENEWAL);
        let mut is_exhausted = false;
        loop {
            self.start_batches(state);
            let is_idle = self.ready.len() == 0 && self.batches.is_empty();
            if is_idle && (is_exhausted || self.left == 0 || self.stop.is_some()) {
                return !is_exhausted;
            }
            let may_receive = self.stop.is_none()
                && !is_exhausted
                && self.left > 0
                && self.ready.len() < READY
                && self.ready.bytes() < READY_BYTES;
            let may_start = self.ready.len() > 0 && self.batches.len() < BATCHES;
            tokio::select! {
                () = interrupt.wait(), if self.stop.is_none() => self.stop(Stop::Interrupted),
                Some(done) = self.batches.next() => self.settle_batch(state, done),
                page = self.intake.next(may_receive) => match page {
                    Ok(Page::Messages(messages)) => self.select_page(state, messages),
                    Ok(Page::Empty { deleted }) => {
                        is_exhausted = is_idle && deleted == self.intake.count_deleted();
                    }
                    // What was sent before is among the others, if it is there at all.
                    Ok(Page::Full) if self.only.is_some() => is_exhausted = true,
                    Ok(Page::Full) => self.stop(Stop::Full),
                    Err(error) => self.stop(Stop::Failed(error)),
                },
                () = state.rate.wait(), if may_start => (),
                _ = renewals.tick() => self.renew(state).await,
            }
        }
    }

    async fn renew(&mut self, state: &State) {
        if let Err(error) = self.run.ledger.renew(&state.record, &self.run.lease).await {
            self.stop(Stop::Failed(error));
        }
    }

    /// Nothing more is begun. The first cause counts.
    fn stop(&mut self, stop: Stop) {
        self.ready.retain(|_| false);
        if self.stop.is_none() {
            self.stop = Some(stop);
        }
    }

    fn select_page(&mut self, state: &mut State, messages: Vec<Message>) {
        for message in messages {
            self.select(state, &message);
        }
    }

    /// Makes a message ready, if it is selected and may be sent.
    fn select(&mut self, state: &mut State, message: &Message) {
        if self.left == 0 || self.stop.is_some() {
            return;
        }
        let run = self.run;
        let dead_letter = DeadLetter::read(message, run.queue);
        if state.came_back(&dead_letter) {
            return;
        }
        let group = dead_letter.summary.group.clone().filter(|_| run.keeps_order());
        if dead_letter.summary.sent_at > Some(run.started_at) {
            state.note_newer(&dead_letter);
            return;
        }
        let is_wanted = match (self.only, Uuid::try_parse(&dead_letter.summary.message_id)) {
            (None, _) => run.selects(&dead_letter),
            (Some(ids), id) => id.is_ok_and(|id| ids.contains(&id)),
        };
        if !is_wanted {
            // What is behind it in its group would overtake it.
            if let Some(group) = group {
                self.ready.close(&group);
            }
            return;
        }
        self.left -= 1;
        let id = dead_letter.summary.message_id.clone();
        match run.targets.of(&dead_letter.summary) {
            Ok(target) => {
                if self.ready.push(Outgoing::new(run.queue, target, dead_letter)).is_err() {
                    state.held_back(1);
                }
            }
            Err(failure) => {
                if let Some(group) = group {
                    self.ready.close(&group);
                }
                state.failed(&id, &failure);
            }
        }
    }

    fn start_batches(&mut self, state: &mut State) {
        while self.batches.len() < BATCHES && self.stop.is_none() {
            let most = state.rate.allows().min(PAGE);
            let taken = if most == 0 { Vec::new() } else { self.ready.take(most, BATCH_BYTES) };
            if taken.is_empty() {
                return;
            }
            state.rate.count(taken.len());
            let mut by_target: BTreeMap<String, Vec<_>> = BTreeMap::new();
            for outgoing in taken {
                let Some(receipt) = self.intake.receipt(outgoing.id()) else { continue };
                by_target.entry(outgoing.target.url.clone()).or_default().push((outgoing, receipt));
            }
            for batch in by_target.into_values() {
                self.batches.push(transfer(self.run, batch).boxed());
            }
        }
    }

    fn settle_batch(&mut self, state: &mut State, done: Result<Vec<Transferred>>) {
        match done {
            Ok(done) => done.into_iter().for_each(|one| self.settle(state, one)),
            Err(error) => self.stop(Stop::Failed(error)),
        }
    }

    fn settle(&mut self, state: &mut State, done: Transferred) {
        let Transferred { id, group, outcome } = done;
        let is_failure = matches!(outcome, Outcome::Failed(_));
        if let Some(group) = &group {
            if is_failure && self.run.keeps_order() {
                state.held_back(self.ready.block(group));
            } else {
                self.ready.sent(group);
            }
        }
        if !is_failure {
            self.intake.deleted(&id);
        }
        match outcome {
            Outcome::Sent { sent_id, is_edited, perhaps_twice } => {
                state.sent(&sent_id, is_edited, perhaps_twice);
                self.sent.push(sent_id);
            }
            Outcome::SentBefore { sent_id } => {
                // It was counted before.
                self.left = self.left.saturating_add(1);
                self.sent.push(sent_id);
            }
            Outcome::Failed(failure) => state.failed(&id, &failure),
        }
    }
}
