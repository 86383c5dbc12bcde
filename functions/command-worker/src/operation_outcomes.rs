//! Commands that came over HTTP to be applied later: their callers poll for the outcome.

use domain::Timestamp;
use events::{CommandEvent, CommandIdentity, Source};
use records::{Ending, OperationId, Operations};
use runtime::sqs::{Delivery, Retry, Verdict};
use store::{Incoming, Outcome, Receipt};
use tracing::warn;

/// Records the outcomes of commands that are operations.
pub(crate) struct OperationOutcomes {
    operations: Operations,
}

impl OperationOutcomes {
    pub(crate) fn new(operations: Operations) -> Self {
        Self { operations }
    }

    /// Announces that the last delivery of messages, whether or not they can be read, is over at `end`: without
    /// an outcome by then, their operations are in the dead-letter queue. Where that cannot be recorded a
    /// command is applied all the same: its outcome may be recorded later.
    pub(crate) async fn last_delivery(&self, messages: &[Delivery], end: Timestamp) {
        let identities = messages.iter().filter_map(|it| events::decode_identity(it.body()).ok());
        let ours = identities.filter(|identity| identity.source.as_str() == Source::HTTP);
        let operation = |identity: CommandIdentity| {
            let id = OperationId::of(&identity.tenant, identity.id.as_str());
            (identity.tenant, id)
        };
        let operations: Vec<_> = ours.map(operation).collect();
        for answer in self.operations.announce_last_delivery(&operations, end).await {
            if let Err(failure) = answer {
                warn!(cause = failure.to_string(), "a last delivery was not announced");
            }
        }
    }

    /// Records the outcomes of the operations of `batch`. Where that fails the command, which took effect,
    /// gets a `Retry`: as a repeat it changes nothing, and its outcome is recorded again.
    pub(crate) async fn record(
        &self,
        batch: &[Incoming],
        operations: &[Option<OperationId>],
        receipts: &[Receipt],
        verdicts: &mut [Verdict],
    ) {
        let (mut ended, mut places) = (Vec::new(), Vec::new());
        let commands = batch.iter().zip(operations).zip(receipts).enumerate();
        for (place, ((incoming, operation), receipt)) in commands {
            if let (Some(id), Some(ending)) = (operation, ending(incoming, receipt)) {
                ended.push((incoming.command.tenant.clone(), *id, ending));
                places.push(place);
            }
        }
        let answers = self.operations.end(&ended).await;
        for (place, answer) in places.into_iter().zip(answers) {
            if let (Err(failure), Some(verdict)) = (answer, verdicts.get_mut(place)) {
                let cause = failure.to_string();
                *verdict = Retry::unavailable("operations_unavailable", cause).into();
            }
        }
    }
}

/// The operation that a command ends: the event's identifier is its key, which is not always the idempotency
/// key that the caller chose.
pub(crate) fn operation(event: &CommandEvent) -> Option<OperationId> {
    let is_ours = event.source.is_http();
    is_ours.then(|| OperationId::of(&event.command.tenant, event.id.as_str()))
}

/// `None` of a command that was not processed.
fn ending(incoming: &Incoming, receipt: &Receipt) -> Option<Ending> {
    let task = receipt.task.as_ref().map_or(incoming.command.task, |task| task.id);
    match &receipt.outcome {
        Outcome::Applied { version } => Some(Ending::Succeeded { task, version: *version }),
        Outcome::Refused(refusal) => Some(Ending::Rejected(refusal.clone())),
        Outcome::KeyReused => Some(Ending::KeyReused),
        Outcome::Unreadable => None,
    }
}
