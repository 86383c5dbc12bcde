//! The operations of the simulated queue, each with its chance to fail.

use std::{
    sync::{
        PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use anyhow::bail;
use tokio::time::{Instant, timeout_at};

use super::{faults::CallOutcome, queue::SimulatedQueue};
use crate::sqs::{
    Delivery,
    queue::{
        Answer, Failure, Queue, attributes::QueueAttributes, claim_check::ClaimChecks,
        dead_letter::DeadLetter,
    },
};

impl SimulatedQueue {
    /// Acts on each entry, by its outcome; `act` says whether there was something to act on.
    async fn batch<E: Sync>(
        &self,
        entries: &[E],
        may_lie: bool,
        act: impl Fn(&E) -> bool + Send,
    ) -> Answer {
        self.state().faults.way().await;
        let call = self.state().faults.call();
        let mut failures = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let outcome = if call.is_failure() { call } else { self.state().faults.entry() };
            let outcome =
                if outcome == CallOutcome::Lies && !may_lie { CallOutcome::Done } else { outcome };
            let gone = outcome.is_done() && !act(entry);
            if gone || outcome.is_failure() {
                failures.push(Failure { index, code: "Simulated".to_owned(), futile: gone });
            }
        }
        self.state().changed.notify_waiters();
        self.state().faults.way().await;
        if call.is_failure() {
            bail!("the call failed");
        }
        Ok(failures)
    }

    async fn set_visibility<E: Sync>(
        &self,
        entries: &[E],
        may_lie: bool,
        wait: impl Fn(&E) -> (String, i32) + Send + Sync,
    ) -> Answer {
        let change = |entry: &E| {
            let (handle, seconds) = wait(entry);
            let wait = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
            self.change(&handle, |messages, position| {
                if let Some(message) = messages.get_mut(position) {
                    if message.received_at.elapsed() + wait > Duration::from_hours(12) {
                        self.state().ledger.broken("invisible for more than twelve hours");
                    }
                    message.visible_at = Instant::now() + wait;
                    let (body, receives) = (&message.body, message.receives);
                    self.state().ledger.note(&format!("invisible {body} #{receives} for {wait:?}"));
                }
            })
        };
        self.batch(entries, may_lie, change).await
    }
}

impl Queue for SimulatedQueue {
    async fn receive(&self, most: u16) -> anyhow::Result<Vec<Delivery>> {
        self.state().receives.fetch_add(1, SeqCst);
        if fails(&self.state().failing_receives) {
            bail!("the queue is unavailable");
        }
        self.state().faults.way().await;
        let call = self.state().faults.call();
        if call == (CallOutcome::Fails { done: false }) {
            bail!("the queue is unavailable");
        }
        let deadline = Instant::now() + self.state().wait;
        let deliveries = loop {
            let changed = self.state().changed.notified();
            let deliveries = self.take(most);
            if !deliveries.is_empty() || Instant::now() >= deadline {
                break deliveries;
            }
            // Try again when something has changed, or becomes visible.
            let _ =
                timeout_at(self.next_visible().unwrap_or(deadline).min(deadline), changed).await;
        };
        self.state().faults.way().await;
        if call.is_failure() {
            bail!("the answer was lost");
        }
        for delivery in &deliveries {
            self.state().ledger.note(&format!(
                "received {} #{}",
                delivery.body(),
                delivery.attempt()
            ));
        }
        Ok(deliveries)
    }

    async fn delete(&self, handles: &[String]) -> Answer {
        if fails(&self.state().failing_deletes) {
            return Ok(all_fail(handles.len()));
        }
        let delete = |handle: &String| {
            let deleted = self.change(handle, |messages, position| {
                if let Some(message) = messages.remove(position) {
                    self.state().ledger.deleted(&message.body, message.receives);
                }
            });
            // In a FIFO queue a handle expires; a standard queue deletes what is gone, too.
            deleted || !self.state().attributes.rules.fifo
        };
        self.batch(handles, true, delete).await
    }

    async fn change_visibility(&self, waits: &[(String, i32)]) -> Answer {
        let answer = self.set_visibility(waits, true, Clone::clone).await;
        answer.map(|failures| failures.into_iter().filter(|failure| !failure.futile).collect())
    }

    async fn extend(&self, handles: &[String], seconds: i32) -> Answer {
        if fails(&self.state().failing_extends) {
            bail!("the queue is unavailable");
        }
        // A queue that says that it makes a message invisible and does not would break any consumer's promises.
        self.set_visibility(handles, false, |handle| (handle.clone(), seconds)).await
    }

    async fn send_dead_letters(&self, dead_letters: &[DeadLetter]) -> Answer {
        if fails(&self.state().failing_dead_letters) {
            return Ok(all_fail(dead_letters.len()));
        }
        let delay = *self.state().dead_letter_delay.lock().unwrap_or_else(PoisonError::into_inner);
        tokio::time::sleep(delay).await;
        let most = self.state().longest_dead_letter.load(SeqCst);
        if dead_letters.iter().any(|dead_letter| dead_letter.weight() > most) {
            let refused =
                |index| Failure { index, code: "BatchRequestTooLong".into(), futile: true };
            return Ok((0..dead_letters.len()).map(refused).collect());
        }
        let send = |dead_letter: &DeadLetter| {
            self.state().ledger.dead_lettered(dead_letter);
            self.state()
                .dead_letters
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(dead_letter.clone());
            true
        };
        self.batch(dead_letters, false, send).await
    }

    fn attributes(&self) -> &QueueAttributes {
        &self.state().attributes
    }

    fn claim_checks(&self) -> &ClaimChecks {
        &self.state().claim_checks
    }
}

fn fails(next: &AtomicUsize) -> bool {
    next.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
}

fn all_fail(count: usize) -> Vec<Failure> {
    let failure = |index| Failure { index, code: "InternalError".to_owned(), futile: false };
    (0..count).map(failure).collect()
}
