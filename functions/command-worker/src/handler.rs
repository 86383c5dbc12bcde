//! From queue messages to the store and back to verdicts.

use std::iter::repeat_n;
use std::sync::Arc;

use runtime::sqs::{BatchHandler, Record, Reject, Retry, Verdict};
use runtime::{Clock, SystemClock};
use store::{ApplyError, CommandKey, Incoming, Outcome, Receipt, Store};

/// Applies commands. A command that is refused is acknowledged: its refusal is its result.
pub(crate) struct CommandHandler {
    store: Store,
    clock: SystemClock,
}

impl CommandHandler {
    pub(crate) fn new(store: Store, clock: SystemClock) -> Self {
        Self { store, clock }
    }
}

impl BatchHandler for CommandHandler {
    type Message = Incoming;

    fn decode(&self, record: &Record) -> Result<Incoming, Reject> {
        let event = events::decode(record.body())
            .map_err(|error| Reject::new(error.reason.code(), error.to_string()))?;
        Ok(Incoming {
            key: CommandKey { source: event.source.into(), id: event.id.into() },
            command: event.command,
            traceparent: event.traceparent,
        })
    }

    fn traceparent<'a>(&self, incoming: &'a Incoming) -> Option<&'a str> {
        incoming.traceparent.as_deref()
    }

    async fn handle(&self, batch: Vec<Incoming>) -> Vec<Verdict> {
        let batch: Arc<[Incoming]> = batch.into();
        match self.store.apply(Arc::clone(&batch), self.clock.now()).await {
            Ok(receipts) => receipts.iter().map(verdict).collect(),
            Err(ApplyError::Data(_)) if batch.len() > 1 => self.one_by_one(&batch).await,
            Err(error) => repeat_n(failed(error), batch.len()).collect(),
        }
    }
}

impl CommandHandler {
    /// So that a command whose data PostgreSQL refuses, in spite of all checks, spoils no other.
    async fn one_by_one(&self, batch: &[Incoming]) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for incoming in batch {
            let applied = self.store.apply([incoming.clone()], self.clock.now()).await;
            verdicts.push(match applied {
                Ok(receipts) => receipts.first().map_or(Verdict::Ack, verdict),
                Err(error) => failed(error),
            });
        }
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
    }
}

fn failed(error: ApplyError) -> Verdict {
    match error {
        ApplyError::Unavailable(cause) => {
            Retry::unavailable("database_unavailable", cause.to_string()).into()
        }
        ApplyError::Contended => Retry::new("tasks_contended", error.to_string()).into(),
        ApplyError::Data(cause) => Reject::new("data_refused", cause.to_string()).into(),
    }
}
