//! Carries verdicts out.
//!
//! The order makes every crash harmless: a dead letter is sent before its message is deleted, and
//! whatever was not settled is handed out again.

pub(crate) mod action;
pub(crate) mod backoff;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures::future::join_all;
use metrics::counter;
use tokio::time::sleep;
use tracing::{error, warn};

use crate::{
    Clock,
    metrics::{MESSAGES_DEAD_LETTERED, MESSAGES_SETTLED, MESSAGES_UNDELETED},
    sqs::{
        Delivery, Retry,
        queue::{
            Queue,
            attributes::QueueAttributes,
            batch_calls::{self, Lost},
            dead_letter::{DeadLetter, Rejection},
            delivery::LARGEST_MESSAGE,
            rules::Rules,
        },
        receive::heartbeat::VisibilityLease,
        settle::{
            action::{Action, release_blocked},
            backoff::{Backoff, whole_seconds},
        },
    },
};

/// Calls at a time for one handler batch.
const CONCURRENCY: usize = 4;
/// Before messages that cannot be deleted are tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Bytes of one batch of dead letters: far below SQS's limit, and one larger goes alone.
const DEAD_LETTERS_BYTES: usize = 200 * 1024;

/// The verdict of what becomes a dead letter.
const REJECT: &str = "reject";

/// A message that is settled now: its place in the batch, itself, and what is done with it.
type Due<'a> = (usize, &'a Delivery, &'a Action);

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
    pub(crate) fn queue(&self) -> &QueueAttributes {
        self.queue.attributes()
    }

    /// Carries out one action per delivery, in order; returns what each came to. What was acknowledged
    /// does not wait for dead letters to be sent, unless it is behind one in its FIFO group.
    pub(crate) async fn settle(
        &self,
        deliveries: &[Delivery],
        leases: &[VisibilityLease],
        mut actions: Vec<Action>,
    ) -> Vec<Action> {
        let waiting = behind_dead_letters(deliveries, &actions, self.queue().rules);
        let late = async {
            if waiting.is_empty() {
                return None;
            }
            let mut actions = actions.clone();
            self.send_dead_letters(deliveries, &mut actions).await;
            // A dead letter that could not be sent has become a retry, which blocks its group.
            release_blocked(deliveries, &mut actions, self.queue().rules);
            self.finish(deliveries, leases, &actions, |place| waiting.contains(&place)).await;
            Some(actions)
        };
        let early = self.finish(deliveries, leases, &actions, |place| !waiting.contains(&place));
        let ((), late) = tokio::join!(early, late);
        actions = late.unwrap_or(actions);
        self.report(&actions);
        actions
    }

    /// Deletes what is done with and changes the visibility of what is not.
    async fn finish(
        &self,
        deliveries: &[Delivery],
        leases: &[VisibilityLease],
        actions: &[Action],
        is_due: impl Fn(usize) -> bool,
    ) {
        let due = deliveries.iter().zip(actions).enumerate().filter(|(place, _)| is_due(*place));
        let due: Vec<_> =
            due.map(|(place, (delivery, action))| (place, delivery, action)).collect();
        tokio::join!(self.delete(&due, leases), self.change_visibility(&due, leases));
    }

    /// Sends the dead letters; each ends as dead-lettered or as a retry.
    async fn send_dead_letters(&self, deliveries: &[Delivery], actions: &mut [Action]) {
        let unsent = self.unsent(deliveries, actions).await;
        for (position, action) in actions.iter_mut().enumerate() {
            let Action::DeadLetter(reject) = action else { continue };
            *action = if unsent.contains(&position) {
                Action::Retry(Retry::new("dead_letter_unsent", reject.reason))
            } else {
                Action::DeadLettered(reject.reason)
            };
        }
    }

    /// Sends the dead letters and returns the positions of those that could not be sent. What the queue
    /// refuses is sent alone, for it may have been refused for a neighbour, and then with less and
    /// less of ours.
    async fn unsent(&self, deliveries: &[Delivery], actions: &[Action]) -> HashSet<usize> {
        let rejection =
            Rejection { queue: self.queue(), handler: self.handler, at: self.clock.now() };
        let (dead_letters, mut unsent) = pack(deliveries, actions, &rejection);
        let mut chunks =
            batch_calls::cut_batches(dead_letters, DeadLetter::weight, DEAD_LETTERS_BYTES);
        while !chunks.is_empty() {
            let mut next = Vec::new();
            for chunk in chunks {
                let alone = chunk.len() == 1;
                for Lost { entry, refused } in self.send(chunk).await {
                    let position = entry.position;
                    let again = match (refused, alone) {
                        (true, true) => smaller(&entry, deliveries, actions, &rejection),
                        (true, false) => Some(entry),
                        (false, _) => None,
                    };
                    match again {
                        Some(dead_letter) => next.push(vec![dead_letter]),
                        None => drop(unsent.insert(position)),
                    }
                }
            }
            chunks = next;
        }
        unsent
    }

    /// One call follows the other, for a replay of a FIFO group should see its order.
    async fn send(&self, dead_letters: Vec<DeadLetter>) -> Vec<Lost<DeadLetter>> {
        let call =
            |chunk: Vec<DeadLetter>| async move { self.queue.send_dead_letters(&chunk).await };
        batch_calls::run(vec![dead_letters], 1, call).await
    }

    async fn delete(&self, due: &[Due<'_>], leases: &[VisibilityLease]) {
        if !self.deletes {
            return;
        }
        let done = due.iter().filter(|(_, _, action)| action.is_done());
        let handles = done.map(|(_, delivery, _)| delivery.receipt_handle().to_owned()).collect();
        let lost = self.delete_with_retries(handles, leases).await;
        self.report_undeleted(&lost);
        let lost: HashSet<_> = lost.into_iter().map(|lost| lost.entry).collect();
        // A dead letter, and a message that comes again, still need the body in S3.
        let acked = due.iter().filter(|(_, delivery, action)| {
            **action == Action::Delete && !lost.contains(delivery.receipt_handle())
        });
        self.queue.claim_checks().discard(acked.map(|(_, delivery, _)| *delivery)).await;
    }

    /// Deletes; returns what could not be deleted. Handed out again and again, a message that is done
    /// with would end as a dead letter: so it is kept, and its deletion tried again, while it is ours.
    async fn delete_with_retries(
        &self,
        handles: Vec<String>,
        leases: &[VisibilityLease],
    ) -> Vec<Lost<String>> {
        let call = |chunk: Vec<String>| async move { self.queue.delete(&chunk).await };
        let (mut handles, mut lost) = (handles, Vec::new());
        for failures in 1.. {
            let chunks = batch_calls::cut_batches(handles, |_| 0, 0);
            let failed = batch_calls::run(chunks, CONCURRENCY, call).await;
            let is_kept = |lost: &Lost<String>| {
                !lost.refused && leases.iter().any(|lease| lease.covers(&lost.entry))
            };
            let (kept, gone): (Vec<_>, Vec<_>) = failed.into_iter().partition(is_kept);
            lost.extend(gone);
            if kept.is_empty() {
                break;
            }
            if failures == 1 {
                warn!(count = kept.len(), "messages cannot be deleted: they are kept; trying on");
            }
            sleep(self.backoff.wait(failures).min(LONGEST_PAUSE)).await;
            handles = kept.into_iter().map(|lost| lost.entry).collect();
        }
        lost
    }

    async fn change_visibility(&self, due: &[Due<'_>], leases: &[VisibilityLease]) {
        // A group's head comes last: until then nobody receives its group.
        let waits = due.iter().rev().filter_map(|(place, delivery, action)| {
            let wait = self.wait(delivery, action)?;
            Some((*place, (delivery.receipt_handle().to_owned(), wait)))
        });
        let (places, waits): (Vec<_>, Vec<_>) = waits.unzip();
        join_all(
            places.into_iter().filter_map(|place| leases.get(place)).map(VisibilityLease::end),
        )
        .await;
        let chunks = batch_calls::cut_batches(waits, |_| 0, 0);
        let call =
            |chunk: Vec<(String, i32)>| async move { self.queue.change_visibility(&chunk).await };
        let concurrency = if self.queue().rules.fifo { 1 } else { CONCURRENCY };
        let lost = batch_calls::run(chunks, concurrency, call).await.len();
        if lost > 0 {
            warn!(lost, "messages could not be released: their visibility timeout will do it");
        }
    }

    fn wait(&self, delivery: &Delivery, action: &Action) -> Option<i32> {
        let wait = match action {
            Action::Retry(Retry { after: Some(after), .. }) => whole_seconds(*after),
            Action::Retry(Retry { unavailable: true, .. }) => {
                self.backoff.unavailable_seconds(delivery.attempt(), delivery.since_receive())
            }
            Action::Retry(_) => self.backoff.seconds(delivery.attempt()),
            Action::Release(_) => 0,
            Action::Delete | Action::DeadLetter(_) | Action::DeadLettered(_) => return None,
        };
        let longest = i32::try_from(delivery.longest_wait().as_secs()).unwrap_or(i32::MAX);
        Some(wait.min(longest))
    }

    /// They took effect, so a repeat changes nothing; but a repeat there will be.
    fn report_undeleted(&self, lost: &[Lost<String>]) {
        let expired = lost.iter().filter(|lost| lost.refused).count();
        if expired > 0 {
            warn!(expired, "receipt handles had expired: their messages may be handed out again");
        }
        let failed = lost.len() - expired;
        if failed > 0 {
            error!(failed, "messages could not be deleted: they will be handed out again");
        }
        let queue = self.queue().name().to_owned();
        let count = u64::try_from(lost.len()).unwrap_or(u64::MAX);
        if count > 0 {
            counter!(MESSAGES_UNDELETED, "queue" => queue).increment(count);
        }
    }

    /// One line for a batch's retries, not one for each: when a database is unavailable, all fail alike.
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
            if verdict == REJECT {
                counter!(MESSAGES_DEAD_LETTERED, "queue" => queue.to_owned()).increment(count);
            }
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
        Action::DeadLetter(reject) => (REJECT, reject.reason),
        Action::DeadLettered(reason) => (REJECT, reason),
        Action::Retry(retry) => ("retry", retry.reason),
        Action::Release(reason) => ("release", reason),
    }
}

/// The places of dead letters, and of what must wait until they are sent: what is behind one in its
/// FIFO group.
fn behind_dead_letters(
    deliveries: &[Delivery],
    actions: &[Action],
    rules: Rules,
) -> HashSet<usize> {
    let mut groups = HashSet::new();
    let mut waiting = HashSet::new();
    for (place, (delivery, action)) in deliveries.iter().zip(actions).enumerate() {
        let group = delivery.group_id().filter(|_| rules.fifo);
        let is_dead = matches!(action, Action::DeadLetter(_));
        groups.extend(group.filter(|_| is_dead));
        if is_dead || group.is_some_and(|group| groups.contains(group)) {
            waiting.insert(place);
        }
    }
    waiting
}

/// The dead letters of a batch, and the positions of those that cannot even be packed.
fn pack(
    deliveries: &[Delivery],
    actions: &[Action],
    rejection: &Rejection<'_>,
) -> (Vec<DeadLetter>, HashSet<usize>) {
    let (mut dead_letters, mut unpacked) = (Vec::new(), HashSet::new());
    let most = usize::try_from(LARGEST_MESSAGE).unwrap_or(usize::MAX);
    for (position, (delivery, action)) in deliveries.iter().zip(actions).enumerate() {
        let Action::DeadLetter(reject) = action else { continue };
        match DeadLetter::pack(position, delivery, reject, rejection, most) {
            Ok(dead_letter) => dead_letters.push(dead_letter),
            Err(error) => {
                error!(%error, "a dead letter could not be packed");
                unpacked.insert(position);
            }
        }
    }
    (dead_letters, unpacked)
}

/// What is left to try with a dead letter that the queue refuses.
fn smaller(
    dead_letter: &DeadLetter,
    deliveries: &[Delivery],
    actions: &[Action],
    rejection: &Rejection<'_>,
) -> Option<DeadLetter> {
    let Some(Action::DeadLetter(reject)) = actions.get(dead_letter.position) else { return None };
    let delivery = deliveries.get(dead_letter.position)?;
    warn!(
        message_id = delivery.message_id(),
        "the dead-letter queue refused it: sending less of it"
    );
    dead_letter.smaller(delivery, reject, rejection).ok()?
}
