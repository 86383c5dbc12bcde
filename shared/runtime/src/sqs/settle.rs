//! Carries verdicts out.
//!
//! The order makes every crash harmless: a dead letter is sent before its message is deleted, and
//! whatever was not settled is handed out again.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use metrics::counter;
use tracing::{error, warn};

use super::{
    Record, Retry, Verdict,
    action::{Action, decide, hold_back},
    backoff::{Backoff, whole_seconds},
    chunks,
    dead_letter::{Death, Letter},
    facts::Facts,
    queue::Queue,
};
use crate::{Clock, metrics::MESSAGES_SETTLED};

/// Calls at a time for one handler batch.
const CONCURRENCY: usize = 4;
/// Bytes of one batch of dead letters: far below SQS's limit, and one larger goes alone.
const LETTERS_BYTES: usize = 200 * 1024;

/// Knows a queue, and how to end a message's stay in it.
pub(crate) struct Settler<Q> {
    pub(crate) queue: Arc<Q>,
    pub(crate) backoff: Backoff,
    pub(crate) clock: Arc<dyn Clock>,
    /// Who rejects: the function's name.
    pub(crate) handler: &'static str,
    /// Whether what is done with is deleted here: a Lambda's event source mapping does it itself.
    pub(crate) deletes: bool,
}

impl<Q: Queue> Settler<Q> {
    pub(crate) fn queue(&self) -> &Facts {
        self.queue.facts()
    }

    /// Carries out one verdict per record, in order; returns what each came to.
    pub(crate) async fn settle(&self, records: &[Record], verdicts: Vec<Verdict>) -> Vec<Action> {
        let rules = self.queue().rules;
        let mut actions = decide(records, verdicts, rules);
        self.bury(records, &mut actions).await;
        // A dead letter that could not be sent has become a retry, which holds its group back.
        hold_back(records, &mut actions, rules);
        tokio::join!(self.delete(records, &actions), self.hide(records, &actions));
        self.report(&actions);
        actions
    }

    /// Sends the dead letters; each ends as buried or as a retry.
    async fn bury(&self, records: &[Record], actions: &mut [Action]) {
        let sent = self.send(self.letters(records, actions)).await;
        for (position, action) in actions.iter_mut().enumerate() {
            let Action::DeadLetter(reject) = action else { continue };
            *action = if sent.contains(&position) {
                Action::Buried(reject.reason)
            } else {
                Action::Retry(Retry::new("dead_letter_unsent", reject.reason))
            };
        }
    }

    fn letters(&self, records: &[Record], actions: &[Action]) -> Vec<Letter> {
        let death = Death { queue: self.queue(), handler: self.handler, at: self.clock.now() };
        let letter = |(position, (record, action)): (usize, (&Record, &Action))| {
            let Action::DeadLetter(reject) = action else { return None };
            warn!(message_id = record.message_id(), reason = reject.reason, "rejecting");
            Letter::pack(position, record, reject, &death)
                .inspect_err(|error| error!(%error, "a dead letter could not be packed"))
                .ok()
        };
        records.iter().zip(actions).enumerate().filter_map(letter).collect()
    }

    /// Returns the positions of those that were sent. One call follows the other, for a replay of a
    /// FIFO group should see its order.
    async fn send(&self, letters: Vec<Letter>) -> HashSet<usize> {
        let mut sent: HashSet<_> = letters.iter().map(|letter| letter.position).collect();
        let chunks = chunks::cut(letters, Letter::weight, LETTERS_BYTES);
        let call = |chunk: Vec<Letter>| async move { self.queue.bury(&chunk).await };
        for lost in chunks::run(chunks, 1, call).await {
            sent.remove(&lost.position);
        }
        sent
    }

    async fn delete(&self, records: &[Record], actions: &[Action]) {
        if !self.deletes {
            return;
        }
        let is_done = |action: &Action| matches!(action, Action::Delete | Action::Buried(_));
        let done = records.iter().zip(actions).filter(|(_, action)| is_done(action));
        let handles = done.map(|(record, _)| record.receipt_handle().to_owned()).collect();
        let chunks = chunks::cut(handles, |_| 0, 0);
        let call = |chunk: Vec<String>| async move { self.queue.delete(&chunk).await };
        let lost = chunks::run(chunks, CONCURRENCY, call).await;
        if !lost.is_empty() {
            let lost = lost.len();
            error!(lost, "messages could not be deleted: they will be handed out again");
        }
        // A dead letter, and a message that comes again, still need the body that waits elsewhere.
        let acked = records.iter().zip(actions).filter(|(record, action)| {
            **action == Action::Delete && !lost.iter().any(|lost| lost == record.receipt_handle())
        });
        self.queue.claims().discard(acked.map(|(record, _)| record)).await;
    }

    async fn hide(&self, records: &[Record], actions: &[Action]) {
        let waits = records.iter().zip(actions).filter_map(|(record, action)| {
            let wait = self.wait(record, action)?;
            Some((record.receipt_handle().to_owned(), wait))
        });
        let chunks = chunks::cut(waits.collect(), |_| 0, 0);
        let call = |chunk: Vec<(String, i32)>| async move { self.queue.hide(&chunk).await };
        let lost = chunks::run(chunks, CONCURRENCY, call).await.len();
        if lost > 0 {
            warn!(lost, "messages could not be given back: their visibility timeout will do it");
        }
    }

    fn wait(&self, record: &Record, action: &Action) -> Option<i32> {
        match action {
            Action::Retry(Retry { after: Some(after), .. }) => Some(whole_seconds(*after)),
            Action::Retry(_) => Some(self.backoff.seconds(record.receive_count())),
            Action::Release => Some(0),
            Action::Delete | Action::DeadLetter(_) | Action::Buried(_) => None,
        }
    }

    /// One line for a batch's retries, not one for each: when a database is away, all fail alike.
    fn report(&self, actions: &[Action]) {
        let queue = self.queue().name();
        let mut counts = BTreeMap::<_, u64>::new();
        for action in actions {
            *counts.entry(labels(action)).or_default() += 1;
        }
        for ((verdict, reason), count) in counts {
            let labels = [
                ("queue", queue.to_owned()),
                ("verdict", verdict.to_owned()),
                ("reason", reason.to_owned()),
            ];
            counter!(MESSAGES_SETTLED, &labels).increment(count);
        }
        let mut retries = actions.iter().filter_map(|action| match action {
            Action::Retry(retry) => Some(retry),
            _ => None,
        });
        if let Some(Retry { reason, detail, .. }) = retries.next() {
            warn!(count = 1 + retries.count(), reason, detail, "retrying");
        }
    }
}

/// The verdict that was carried out, and why.
fn labels(action: &Action) -> (&'static str, &'static str) {
    match action {
        Action::Delete => ("ack", ""),
        Action::DeadLetter(reject) => ("reject", reject.reason),
        Action::Buried(reason) => ("reject", reason),
        Action::Retry(retry) => ("retry", retry.reason),
        Action::Release => ("release", "group_held_back"),
    }
}
