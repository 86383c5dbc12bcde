//! From queue messages to the store and back to verdicts.

use std::collections::HashSet;
use std::iter::repeat_n;
use std::sync::Arc;
use std::time::Duration;

use events::UncheckedEnvelope;
use records::OperationId;
use runtime::sqs::{BatchHandler, Delivery, Origin, Reject, Retry, Verdict};
use runtime::{Clock, SystemClock};
use store::{ApplyError, Incoming, Outcome, Receipt, Store};

use crate::operation_outcomes::{OperationOutcomes, operation};
use crate::producers::Producers;

/// Why a command is a dead letter although nothing is wrong with it.
const ROW_UNREADABLE: &str = "row_unreadable";
const UNREADABLE_DETAIL: &str = "the database holds the command's task, or what was recorded of the \
    command, in a form that cannot be read; nothing was changed: repair the row, then replay";

/// Applies commands. A command that is refused is acknowledged: its refusal is its result.
pub(crate) struct CommandHandler {
    store: Store,
    outcomes: OperationOutcomes,
    producers: Producers,
    clock: SystemClock,
}

/// A command, and the operation whose outcome is its own, if there is one.
pub(crate) struct Received {
    incoming: Incoming,
    operation: Option<OperationId>,
}

impl BatchHandler for CommandHandler {
    type Message = Received;

    fn decode(&self, delivery: &Delivery) -> Result<Received, Reject> {
        let event = match delivery.redeemed() {
            Some(data) => events::decode_claimed(delivery.body(), data),
            None => events::decode(delivery.body()),
        };
        let event = event.map_err(|error| Reject::new(error.reason.code(), error.to_string()))?;
        self.producers.check(&event)?;
        Ok(Received { operation: operation(&event), incoming: event.into() })
    }

    fn traceparent<'a>(&self, received: &'a Received) -> Option<&'a str> {
        received.incoming.traceparent.as_deref()
    }

    fn origin(&self, delivery: &Delivery) -> Origin {
        let UncheckedEnvelope { tenant, source, id, .. } = UncheckedEnvelope::read(delivery.body());
        Origin { tenant, source, event_id: id }
    }

    async fn handle(&self, batch: Vec<Received>) -> Vec<Verdict> {
        let parts = batch.into_iter().map(|received| (received.incoming, received.operation));
        let (batch, operations): (Vec<_>, Vec<_>) = parts.unzip();
        let batch: Arc<[Incoming]> = batch.into();
        match self.store.apply(Arc::clone(&batch), self.clock.now()).await {
            Ok(receipts) => self.settle(&batch, &operations, &receipts).await,
            Err(ApplyError::Data(_) | ApplyError::Unreadable(_)) if batch.len() > 1 => {
                self.one_by_one(&batch, &operations).await
            }
            Err(error) => repeat_n(failed(error), batch.len()).collect(),
        }
    }

    async fn last_delivery(&self, messages: Vec<Delivery>, over: Duration) {
        self.outcomes.last_delivery(&messages, self.clock.now() + over).await;
    }

    async fn dead_lettered(&self, messages: Vec<Delivery>) {
        self.outcomes.last_delivery(&messages, self.clock.now()).await;
    }
}

impl CommandHandler {
    pub(crate) fn new(
        store: Store,
        outcomes: OperationOutcomes,
        producers: Producers,
        clock: SystemClock,
    ) -> Self {
        Self { store, outcomes, producers, clock }
    }

    /// So that a command whose data PostgreSQL refuses, or that leads to a row that cannot be read,
    /// spoils no other. After a retry the task's later commands are not applied: they must not overtake
    /// it.
    async fn one_by_one(
        &self,
        batch: &[Incoming],
        operations: &[Option<OperationId>],
    ) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        let mut waiting = HashSet::new();
        for (incoming, operation) in batch.iter().zip(operations) {
            let task = (&incoming.command.tenant, incoming.command.task);
            let verdict = if waiting.contains(&task) {
                Retry::new("task_held_back", "a command before it of its task is retried").into()
            } else {
                self.alone(incoming, *operation).await
            };
            if matches!(verdict, Verdict::Retry(_)) {
                waiting.insert(task);
            }
            verdicts.push(verdict);
        }
        verdicts
    }

    async fn alone(&self, incoming: &Incoming, operation: Option<OperationId>) -> Verdict {
        let one = std::slice::from_ref(incoming);
        match self.store.apply(one, self.clock.now()).await {
            Ok(receipts) => {
                let unanswered = || Retry::new("no_receipt", "the store answered nothing").into();
                self.settle(one, &[operation], &receipts).await.pop().unwrap_or_else(unanswered)
            }
            Err(error) => failed(error),
        }
    }

    /// One verdict per command that was processed, once its caller can know the outcome.
    async fn settle(
        &self,
        batch: &[Incoming],
        operations: &[Option<OperationId>],
        receipts: &[Receipt],
    ) -> Vec<Verdict> {
        let mut verdicts: Vec<_> = receipts.iter().map(verdict).collect();
        self.outcomes.record(batch, operations, receipts, &mut verdicts).await;
        verdicts
    }
}

fn verdict(receipt: &Receipt) -> Verdict {
    match receipt.outcome {
        Outcome::Applied { .. } | Outcome::Refused(_) => Verdict::Ack,
        Outcome::KeyReused => Verdict::Reject(Reject::new(
            "id_reused",
            "another event of this tenant and source had the same id; give each event its own",
        )),
        Outcome::Unreadable => Verdict::Reject(Reject::new(ROW_UNREADABLE, UNREADABLE_DETAIL)),
    }
}

fn failed(error: ApplyError) -> Verdict {
    match error {
        ApplyError::Unavailable(cause) => {
            Retry::unavailable("database_unavailable", cause.to_string()).into()
        }
        ApplyError::Contended => Retry::new("tasks_contended", error.to_string()).into(),
        // Only requests over HTTP claim their keys.
        ApplyError::InFlight => Retry::new("command_in_flight", error.to_string()).into(),
        ApplyError::Data(cause) => Reject::new("data_refused", cause.to_string()).into(),
        ApplyError::Unreadable(_) => Reject::new(ROW_UNREADABLE, UNREADABLE_DETAIL).into(),
    }
}
