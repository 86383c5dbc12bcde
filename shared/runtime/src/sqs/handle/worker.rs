//! Takes batches to their end: each message is handled, together with others or in a sequence, and
//! settled. Nothing a handler does gets past here.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use futures::{FutureExt as _, StreamExt as _, stream};
use tokio::time::{Instant, timeout};
use tracing::{Instrument as _, error, warn};

use crate::{
    shutdown::Stop,
    sqs::{
        BatchHandler, Delivery, Origin, Reject, Verdict,
        handle::{
            bounds::Bounds,
            interruption::shut_down,
            outcome::{Messages, Outcome},
            split::handlings,
        },
        queue::Queue,
        receive::{batch::Batch, circuit_breaker::CircuitBreaker, heartbeat::VisibilityLease},
        settle::{
            Settler,
            action::{Action, decide},
        },
    },
};

/// Sequences of one batch that are handled at a time. There is more than one only for messages at their
/// last delivery: each of them is handled alone, and one that hangs should not hold the others up.
const SEQUENCES: usize = 10;
/// Of an invocation, for the checks that find out why a handler was cut off.
const CHECKS: Duration = Duration::from_secs(1);
/// For a handler that is notified of messages.
pub(super) const NOTIFICATION_LIMIT: Duration = Duration::from_secs(5);

/// Takes batches to their end.
pub(crate) struct Worker<H, Q> {
    pub(super) handler: Arc<H>,
    pub(crate) settler: Settler<Q>,
    /// For one call of the handler.
    pub(super) timeout: Duration,
    /// For how long a message is invisible once nobody renews it.
    pub(super) visibility: Duration,
    /// For how long messages whose dependency is unavailable are handled again.
    pub(super) retry_window: Duration,
    pub(super) breaker: Arc<CircuitBreaker>,
}

impl<H: BatchHandler, Q: Queue> Worker<H, Q> {
    pub(crate) fn breaker(&self) -> Arc<CircuitBreaker> {
        Arc::clone(&self.breaker)
    }

    pub(crate) fn messages_at_a_time(&self) -> Option<usize> {
        self.handler.messages_at_a_time()
    }

    /// Splits a batch into what is handled in one call, and sequences.
    pub(crate) fn split(&self, batch: Batch) -> (Option<Batch>, Vec<Batch>) {
        let one_at_a_time = self.handler.messages_at_a_time().is_some();
        let handlings = handlings(&batch.deliveries, self.settler.queue().rules, one_at_a_time);
        batch.split(&handlings)
    }

    /// Handles a batch and carries its verdicts out.
    pub(crate) async fn work(&self, mut batch: Batch, stop: &Stop) {
        let receiving = batch.receiving.take();
        self.finish(batch, &Bounds::new(self.timeout, stop.clone(), receiving)).await;
    }

    /// Handles what an invocation brought, by `deadline`; returns the ids of the messages that must
    /// be handed out again. There is no heartbeat: a Lambda's time ends before its messages'
    /// visibility does, as AWS demands.
    ///
    /// If a dependency was unavailable at the last invocation, it is checked first: a handler that
    /// hangs would take all of the time of each invocation.
    pub(crate) async fn handle_invocation(&self, batch: Batch, deadline: Instant) -> Vec<String> {
        let rules = self.settler.queue().rules;
        let last = batch.deliveries.iter().any(|delivery| rules.is_last(delivery));
        if let (Err(retry), false) = (self.breaker.probe_now().await, last) {
            let verdicts = vec![retry.into(); batch.len()];
            let actions = self.settle(Messages::of(&batch), verdicts).await;
            return undone(&batch.deliveries, &actions);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let until = deadline.checked_sub(CHECKS.min(left / 4)).unwrap_or(deadline);
        self.finish(batch, &Bounds::of_invocation(self.timeout, until)).await
    }

    /// Releases every message of a batch, unhandled.
    pub(crate) async fn release(&self, batch: &Batch) {
        let verdicts = vec![shut_down().into(); batch.len()];
        self.settle(Messages::of(batch), verdicts).await;
    }

    async fn finish(&self, batch: Batch, bounds: &Bounds) -> Vec<String> {
        let (together, mut sequences) = self.split(batch);
        // An invocation's time may not be enough for all: those that get no other chance come first.
        let rules = self.settler.queue().rules;
        sequences.sort_by_key(|sequence| {
            !sequence.deliveries.iter().any(|delivery| rules.is_last(delivery))
        });
        let together = async {
            let Some(batch) = together else { return Vec::new() };
            let actions = self.together(Messages::of(&batch), bounds).await;
            undone(&batch.deliveries, &actions)
        };
        let at_a_time = self.handler.messages_at_a_time().unwrap_or(SEQUENCES);
        let sequences =
            sequences.into_iter().map(|sequence| self.finish_sequence(sequence, bounds));
        let sequences = stream::iter(sequences).buffer_unordered(at_a_time.max(1)).concat();
        let (mut undone, of_sequences) = tokio::join!(together, sequences);
        undone.extend(of_sequences);
        undone
    }

    async fn finish_sequence(&self, sequence: Batch, bounds: &Bounds) -> Vec<String> {
        let actions = self.sequence(Messages::of(&sequence), bounds).await;
        undone(&sequence.deliveries, &actions)
    }

    /// Handles messages in one call.
    async fn together(&self, messages: Messages<'_>, bounds: &Bounds) -> Vec<Action> {
        let lost = VisibilityLease::batch_lost(messages.leases, self.settler.queue().rules.fifo);
        let outcome = self.handle_until_available(messages.deliveries, bounds, false, lost).await;
        self.settle_outcome(outcome, messages.leases).await
    }

    /// Carries out the verdicts of an outcome.
    pub(super) async fn settle_outcome(
        &self,
        outcome: Outcome,
        leases: &[VisibilityLease],
    ) -> Vec<Action> {
        let Outcome { deliveries, verdicts, span } = outcome;
        let messages = Messages { deliveries: &deliveries, leases };
        self.settle(messages, verdicts).instrument(span).await
    }

    /// Carries verdicts out. Beside that the handler is notified of what becomes a dead letter.
    pub(super) async fn settle(
        &self,
        messages: Messages<'_>,
        verdicts: Vec<Verdict>,
    ) -> Vec<Action> {
        let Messages { deliveries, leases } = messages;
        let rules = self.settler.queue().rules;
        let actions = decide(deliveries, verdicts, rules);
        self.log_rejects(deliveries, &actions);
        let ends = deliveries.iter().zip(&actions).filter(|(delivery, action)| match action {
            Action::DeadLetter(_) => true,
            Action::Retry(_) | Action::Release(_) => rules.is_last(delivery),
            Action::Delete | Action::DeadLettered(_) => false,
        });
        let ends: Vec<_> = ends.map(|(delivery, _)| delivery.clone()).collect();
        let settling = self.settler.settle(deliveries, leases, actions);
        if ends.is_empty() {
            return settling.await;
        }
        tokio::join!(settling, self.notify(self.handler.dead_lettered(ends))).0
    }

    /// A line for each, for each has a reason of its own.
    fn log_rejects(&self, deliveries: &[Delivery], actions: &[Action]) {
        for (delivery, action) in deliveries.iter().zip(actions) {
            let Action::DeadLetter(Reject { reason, .. }) = action else { continue };
            let origin = catch_unwind(AssertUnwindSafe(|| self.handler.origin(delivery)));
            let Origin { tenant, source, event_id } = origin.unwrap_or_default();
            let message_id = delivery.message_id();
            warn!(message_id, reason, tenant, source, event_id, "rejecting");
        }
    }

    /// Bounds what a handler does when it is notified.
    pub(super) async fn notify(&self, notified: impl Future<Output = ()>) {
        match timeout(NOTIFICATION_LIMIT, AssertUnwindSafe(notified).catch_unwind()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => error!("the handler panicked when it was notified of messages"),
            Err(_) => warn!("the handler took too long when it was notified of messages"),
        }
    }
}

/// The ids of the messages that are not done with.
fn undone(deliveries: &[Delivery], actions: &[Action]) -> Vec<String> {
    let undone = deliveries.iter().zip(actions).filter(|(_, action)| !action.is_done());
    undone.map(|(delivery, _)| delivery.message_id().to_owned()).collect()
}
