//! From a request to a command, through the write path that the queue uses too.

use anyhow::anyhow;
use domain::{Action, Actor, TaskId, TenantId};
use events::CommandEvent;
use http_support::{Caller, Problem};
use records::Operation;
use runtime::{Clock as _, SystemClock};
use store::{ApplyError, Incoming, Outcome, Receipt, RequestKey, Store};

use crate::async_writes::AsyncWrites;
use crate::command_headers::CommandHeaders;

/// What became of a write request.
pub(crate) enum Written {
    /// It was applied.
    Now(Receipt),
    /// It was accepted to be applied later.
    Later(Operation),
}

/// Applies commands, one at a time.
#[derive(Clone)]
pub(crate) struct Commands {
    store: Store,
    async_writes: Option<AsyncWrites>,
    clock: SystemClock,
}

impl Commands {
    pub(crate) fn new(store: Store, async_writes: Option<AsyncWrites>, clock: SystemClock) -> Self {
        Self { store, async_writes, clock }
    }

    /// Applies one command, or accepts it if the caller prefers that and it can be; a refusal is a
    /// problem of the caller's.
    pub(crate) async fn write(
        &self,
        command_headers: CommandHeaders,
        caller: Caller,
        task: TaskId,
        action: Action,
    ) -> Result<Written, Problem> {
        let async_writes = self.async_writes.as_ref().filter(|_| command_headers.respond_async);
        let is_keyed = command_headers.is_keyed;
        let event = command_headers.command(caller.clone(), task, action);
        match async_writes {
            Some(async_writes) => async_writes
                .accept(event, &caller.actor, self.clock.now())
                .await
                .map(Written::Later),
            None => self.apply(event, is_keyed.then_some(caller.actor)).await.map(Written::Now),
        }
    }

    /// `keyed`: whose idempotency key its id is, if it is one.
    async fn apply(&self, event: CommandEvent, keyed: Option<Actor>) -> Result<Receipt, Problem> {
        let incoming = Incoming::from(event);
        let tenant = incoming.command.tenant.clone();
        let key = keyed.map(|caller| RequestKey { key: incoming.key.clone(), caller });
        let receipts = self.apply_request(&tenant, key.as_ref(), vec![incoming]).await?;
        let receipt = receipts.into_iter().next().ok_or(Problem::NotFound)?;
        match receipt.outcome {
            Outcome::Applied { .. } => Ok(receipt),
            Outcome::Refused(refusal) => Err(refusal.into()),
            Outcome::KeyReused => Err(Problem::IdempotencyKeyReused),
            Outcome::Unreadable => Err(unreadable()),
        }
    }

    /// Applies the commands of one request, at once. Returns one receipt per command.
    pub(crate) async fn apply_request(
        &self,
        tenant: &TenantId,
        key: Option<&RequestKey>,
        commands: Vec<Incoming>,
    ) -> Result<Vec<Receipt>, Problem> {
        let applied = self.store.apply_request(tenant, key, commands, self.clock.now()).await;
        applied.map_err(problem)
    }
}

/// Which row it is, the store logged.
pub(crate) fn unreadable() -> Problem {
    anyhow!("the task, or what was recorded of the request before, cannot be read").into()
}

pub(crate) fn problem(error: ApplyError) -> Problem {
    match error {
        ApplyError::Unavailable(_) | ApplyError::Contended => {
            Problem::unavailable("the database", error)
        }
        ApplyError::InFlight => Problem::IdempotencyKeyInFlight,
        ApplyError::Data(_) | ApplyError::Unreadable(_) => Problem::Internal(error.into()),
    }
}
