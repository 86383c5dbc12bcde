//! Commands that came over HTTP to be applied later: their callers poll for the outcome.

use std::time::Duration;

use domain::{TenantId, Timestamp};
use events::{CommandIdentity, Source};
use records::{Ending, OperationId, Operations};
use runtime::sqs::{Delivery, Retry, Verdict};
use store::{Incoming, Outcome, Receipt};
use tracing::warn;

use crate::message::Message;

/// Records the outcomes of commands that are operations.
pub(crate) struct OperationOutcomes {
    operations: Operations,
    longest_delivery: Duration,
}

impl OperationOutcomes {
    pub(crate) fn new(operations: Operations, longest_delivery: Duration) -> Self {
        Self { operations, longest_delivery }
    }

    /// Announces the last deliveries among `batch`; if nothing comes of one, even because this process
    /// crashes now, its operation shows where the message is. Where that cannot be recorded the command is
    /// applied all the same: its outcome may be recorded by then.
    pub(crate) async fn announce(&self, batch: &[Message], now: Timestamp) {
        let last = batch.iter().filter(|message| message.is_last_delivery);
        let last: Vec<_> = last.filter_map(|message| operation(&message.incoming)).collect();
        self.announce_until(&last, now + self.longest_delivery).await;
    }

    async fn announce_until(&self, operations: &[(TenantId, OperationId)], until: Timestamp) {
        for answer in self.operations.announce_last_delivery(operations, until).await {
            if let Err(failure) = answer {
                warn!(cause = failure.to_string(), "a last delivery was not announced");
            }
        }
    }

    /// Announces that messages are in the dead-letter queue, whether or not they could be read.
    pub(crate) async fn dead_lettered(&self, messages: &[Delivery], now: Timestamp) {
        let identities = messages.iter().filter_map(|it| events::decode_identity(it.body()).ok());
        let ours = identities.filter(|identity| identity.source.as_str() == Source::HTTP);
        let operation = |identity: CommandIdentity| {
            let id = OperationId::of(&identity.tenant, identity.id.as_str());
            (identity.tenant, id)
        };
        self.announce_until(&ours.map(operation).collect::<Vec<_>>(), now).await;
    }

    /// Records the outcomes of the operations of `batch`. Where that fails the command, which took effect,
    /// gets a `Retry`: as a repeat it changes nothing, and its outcome is recorded again.
    pub(crate) async fn record(
        &self,
        batch: &[Incoming],
        receipts: &[Receipt],
        verdicts: &mut [Verdict],
    ) {
        let (mut ended, mut places) = (Vec::new(), Vec::new());
        for (place, (incoming, receipt)) in batch.iter().zip(receipts).enumerate() {
            if let (Some((tenant, id)), Some(ending)) =
                (operation(incoming), ending(incoming, receipt))
            {
                ended.push((tenant, id, ending));
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

fn operation(incoming: &Incoming) -> Option<(TenantId, OperationId)> {
    let tenant = &incoming.command.tenant;
    let is_ours = incoming.key.source == Source::HTTP;
    is_ours.then(|| (tenant.clone(), OperationId::of(tenant, &incoming.key.id)))
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
