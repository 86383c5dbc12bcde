//! A sequence: a FIFO group's messages, one after the other, or a single message.
//!
//! A message begins when the one before it is done with: acknowledged, or in the dead-letter queue. So
//! a poison message harms nothing behind it. After a retry what follows is released, to be handed out
//! again behind the retried message.

use tokio::time::Instant;
use tracing::Instrument as _;

use crate::sqs::{
    BatchHandler, Retry, Verdict,
    handle::{
        bounds::Bounds,
        interruption::{shut_down, visibility_lost},
        outcome::{Messages, Outcome},
        worker::Worker,
    },
    queue::Queue,
    receive::heartbeat::VisibilityLease,
    settle::action::Action,
};

impl<H: BatchHandler, Q: Queue> Worker<H, Q> {
    /// Handles a sequence to its end, or to where it must stop; one action for each message.
    pub(super) async fn sequence(&self, sequence: Messages<'_>, bounds: &Bounds) -> Vec<Action> {
        let mut actions = Vec::with_capacity(sequence.deliveries.len());
        let mut acked = Messages::NONE;
        let mut remaining = sequence;
        let mut notifications = self.begin_notifications(sequence).await;
        while let Some((first, behind)) = remaining.split_first() {
            // The message before is settled while this one is handled.
            let handling = self.alone(remaining, bounds);
            let (settled, outcome) = tokio::join!(
                self.acknowledge(acked),
                self.notifying(remaining, &mut notifications, handling)
            );
            actions.extend(settled);
            acked = Messages::NONE;
            if let [Verdict::Retry(retry)] = &outcome.verdicts[..]
                && retry.interrupted
            {
                // In one step, which knows the order in which a group is released.
                let verdicts = vec![retry.clone().into(); remaining.deliveries.len()];
                let settling = self.settle(remaining, verdicts).instrument(outcome.span);
                actions.extend(settling.await);
                return actions;
            }
            remaining = behind;
            if outcome.verdicts == [Verdict::Ack] {
                acked = first;
                continue;
            }
            let done = self.settle_outcome(outcome, first.leases).await;
            let blocks_group = self.blocks_group(first, &done);
            actions.extend(done);
            if blocks_group {
                let detail = "a message before it in its group is retried";
                let retry = Retry::interrupted("group_held_back", detail);
                let verdicts = vec![retry.into(); remaining.deliveries.len()];
                actions.extend(self.settle(remaining, verdicts).await);
                return actions;
            }
        }
        actions.extend(self.acknowledge(acked).await);
        actions
    }

    async fn acknowledge(&self, messages: Messages<'_>) -> Vec<Action> {
        self.settle(messages, vec![Verdict::Ack; messages.deliveries.len()]).await
    }

    /// Handles the first of the remaining messages, unless the sequence must stop before it.
    async fn alone(&self, remaining: Messages<'_>, bounds: &Bounds) -> Outcome {
        let (first, behind) = remaining.split_first().unwrap_or((Messages::NONE, Messages::NONE));
        let others_wait = self.any_last(behind);
        let interruption = self.interruption(remaining, bounds, bounds.limit(others_wait).at);
        if let Some(retry) = interruption {
            return Outcome::unhandled(first.deliveries, retry);
        }
        let lost = VisibilityLease::sequence_lost(remaining.leases);
        self.handle_until_available(first.deliveries, bounds, others_wait, lost).await
    }

    /// Why the first of the remaining messages is not begun. During a drain what is at its last delivery
    /// still is, and what is before it: released, it would go to the dead-letter queue.
    fn interruption(
        &self,
        remaining: Messages<'_>,
        bounds: &Bounds,
        limit: Instant,
    ) -> Option<Retry> {
        if bounds.stop.draining.is_cancelled() && !self.any_last(remaining) {
            return Some(shut_down());
        }
        if remaining.leases.iter().any(VisibilityLease::is_lost) {
            return Some(visibility_lost());
        }
        let detail = "the time was up before the message was begun";
        (limit <= Instant::now()).then(|| Retry::interrupted("no_time_left", detail))
    }

    /// Whether what follows must wait for a message to come again. After its last delivery it does not
    /// come: the queue itself moves it to the dead-letter queue.
    fn blocks_group(&self, message: Messages<'_>, done: &[Action]) -> bool {
        done.iter().any(|action| !action.is_done()) && !self.any_last(message)
    }

    fn any_last(&self, messages: Messages<'_>) -> bool {
        let rules = self.settler.queue().rules;
        messages.deliveries.iter().any(|delivery| rules.is_last(delivery))
    }
}
