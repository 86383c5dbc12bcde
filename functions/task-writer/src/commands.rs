//! From a request to a command, through the write path that the queue uses too.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::{Action, Command, TaskId, TenantId};
use http_support::{IdempotencyKey, Problem};
use runtime::{Clock as _, SystemClock};
use store::{ApplyError, CommandKey, Incoming, Outcome, Receipt, Store};
use uuid::Uuid;

/// The source of all commands that come over HTTP.
const SOURCE: &str = "urn:task-app:http";

/// What a write request says beside its body: all that makes a command a message.
pub(crate) struct Envelope {
    id: String,
    traceparent: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Envelope {
    type Rejection = Problem;

    /// Without an `Idempotency-Key` every request is a command of its own.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let id = IdempotencyKey::from_headers(&parts.headers)?
            .map_or_else(|| Uuid::new_v4().to_string(), |key| key.as_str().to_owned());
        let traceparent = parts
            .headers
            .get("traceparent")
            .and_then(|header| events::traceparent(header.to_str().ok()?))
            .map(ToOwned::to_owned);
        Ok(Self { id, traceparent })
    }
}

/// Applies commands, one at a time.
#[derive(Clone)]
pub(crate) struct Commands {
    store: Store,
    clock: SystemClock,
}

impl Commands {
    pub(crate) fn new(store: Store, clock: SystemClock) -> Self {
        Self { store, clock }
    }

    /// Applies one command; a refusal is a problem of the caller's.
    pub(crate) async fn apply(
        &self,
        envelope: Envelope,
        tenant: TenantId,
        task: TaskId,
        action: Action,
    ) -> Result<Receipt, Problem> {
        let incoming = Incoming {
            key: CommandKey { source: SOURCE.to_owned(), id: envelope.id },
            command: Command { tenant, task, action },
            traceparent: envelope.traceparent,
        };
        let receipts = self.store.apply([incoming], self.clock.now()).await.map_err(problem)?;
        let receipt = receipts.into_iter().next().ok_or(Problem::NotFound)?;
        match receipt.outcome {
            Outcome::Applied { .. } => Ok(receipt),
            Outcome::Refused(refusal) => Err(refusal.into()),
            Outcome::KeyReused => Err(Problem::IdempotencyKeyReused),
        }
    }
}

fn problem(error: ApplyError) -> Problem {
    match error {
        ApplyError::Unavailable(_) | ApplyError::Contended => Problem::DATABASE_AWAY,
        ApplyError::Data(_) => Problem::Internal(error.into()),
    }
}
