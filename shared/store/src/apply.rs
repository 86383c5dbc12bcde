//! The write path: a batch of commands in one transaction, whatever its size in at most two round trips, as a
//! rule: its tasks are read, and all that it writes is one statement, which is its own transaction.
//! Correctness depends on unique keys and row versions, not on locks: where a row is not as it was when
//! the batch was decided, the statement notices, writes nothing, and the batch is decided anew.
//!
//! Commands of producers are new, as a rule, so they are not looked up before they are written, nor is the
//! task of a create. If it turns out that something was there, the next such batch is: repeats come in a row.
//!
//! Where others change the same tasks, a batch that was read would be decided again and again. So it locks its
//! rows then, and so do the next ones for a while, in four round trips: begin, load and lock, write, commit.
//! So does a request with an idempotency lock, and a batch with a command that changes nothing: its task must
//! be as it was when the fact of that is written, and no version says so.

use std::sync::Arc;
use std::time::Duration;

use chrono::SubsecRound as _;
use domain::{Action, Timestamp};
use tokio::time::sleep;

use crate::basis::Basis;
use crate::cache::{AsOf, Origin};
use crate::error::{ApplyError, is_conflict, unwritable};
use crate::fold::{Folded, fold};
use crate::inbox::{Incoming, Outcome, Receipt};
use crate::load::{Known, Lock, load, load_tasks};
use crate::pool::{Connection, Pool};
use crate::store::Store;
use crate::write::write;

/// How often a transaction is run when others are faster, and the pause between.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(5);

/// What the commands of a batch have to do with each other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BatchScope {
    /// Nothing.
    Separate,
    /// They are one request, which has this lock if it has an idempotency key.
    Request { idempotency_lock: Option<i64> },
}

impl BatchScope {
    fn idempotency_lock(self) -> Option<i64> {
        match self {
            Self::Separate => None,
            Self::Request { idempotency_lock } => idempotency_lock,
        }
    }

    /// Whether nothing of the batch may be written, since it is a request under a used key.
    fn refuse(self, folded: &Folded) -> bool {
        matches!(self, Self::Request { .. }) && folded.has_reused_key()
    }
}

/// What became of an attempt to apply a batch.
enum Attempt {
    Done(Folded),
    /// A row is not, or may not stay, as it was when the batch was decided. Nothing was written.
    Conflict,
    /// Another transaction holds the idempotency lock.
    InFlight,
}

impl Store {
    /// Applies `batch` in order and in one transaction. Returns one receipt per command, in order.
    ///
    /// Each command takes effect exactly once, however often it is applied: a repeat, recognised by its
    /// key, gets the outcome of the first. A command that is refused is a result and spoils no
    /// other. The transaction runs in a task of its own: to drop this future does not cut it off.
    ///
    /// # Errors
    /// An [`ApplyError`] says what to do; nothing was applied, unless the answer to the commit was
    /// lost, in which case applying the batch again finds its outcomes.
    pub async fn apply(
        &self,
        batch: impl Into<Arc<[Incoming]>>,
        now: Timestamp,
    ) -> Result<Vec<Receipt>, ApplyError> {
        self.run(batch.into(), BatchScope::Separate, now).await
    }

    /// As [`apply`](Self::apply).
    pub(crate) async fn run(
        &self,
        batch: Arc<[Incoming]>,
        scope: BatchScope,
        now: Timestamp,
    ) -> Result<Vec<Receipt>, ApplyError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let store = self.clone();
        let apply = tokio::spawn(async move {
            let now = now.trunc_subsecs(6);
            // A change that comes after those of this batch is committed later.
            let as_of = AsOf::now();
            let usual = usual_basis(&batch, scope);
            let first = store.recent.basis(usual);
            let (last, folded) =
                attempt_until_alone(&store.pool, &batch, scope, now, first).await?;
            let has_repeats = folded.receipts.iter().any(|receipt| receipt.repeated);
            store.recent.note(usual, first, last, has_repeats);
            let read = folded.receipts.iter().filter_map(|receipt| receipt.task.as_ref());
            let read = read.map(|task| (Origin::Read, task));
            let changed = folded.tasks.iter().map(|(_, task)| (Origin::Changed, task));
            store.cache.put(read.chain(changed), as_of).await;
            Ok(folded.receipts)
        });
        apply.await.unwrap_or(Err(ApplyError::Unavailable(sqlx::Error::WorkerCrashed)))
    }
}

/// Returns what was decided in the end, and on what.
async fn attempt_until_alone(
    pool: &Pool,
    batch: &[Incoming],
    scope: BatchScope,
    now: Timestamp,
    mut basis: Basis,
) -> Result<(Basis, Folded), ApplyError> {
    for attempt in 1..=ATTEMPTS {
        match attempt_once(pool, batch, scope, now, basis).await {
            Ok(Attempt::Done(folded)) => return Ok((basis, folded)),
            Ok(Attempt::InFlight) => return Err(ApplyError::InFlight),
            Ok(Attempt::Conflict) => {}
            Err(error) if is_conflict(&error) => {}
            Err(error) => return Err(error.into()),
        }
        tracing::debug!(attempt, ?basis, "a row is not as it was when the batch was decided");
        if basis == Basis::Locked {
            sleep(PAUSE * attempt).await;
        }
        basis = basis.after_conflict();
    }
    Err(ApplyError::Contended)
}

/// Without locks, what is written is its own transaction. Without sessions, one keeps together what is prepared.
async fn attempt_once(
    pool: &Pool,
    batch: &[Incoming],
    scope: BatchScope,
    now: Timestamp,
    basis: Basis,
) -> Result<Attempt, sqlx::Error> {
    if basis != Basis::Locked && pool.has_sessions() {
        let mut connection = pool.acquire().await?;
        return decide_and_write(&mut connection, batch, scope, now, basis).await;
    }
    let mut transaction = pool.begin().await?;
    let attempt = decide_and_write(transaction.connection(), batch, scope, now, basis).await?;
    match attempt {
        Attempt::Done(_) => transaction.commit().await?,
        Attempt::Conflict | Attempt::InFlight => transaction.rollback().await?,
    }
    Ok(attempt)
}

async fn decide_and_write(
    connection: &mut Connection,
    batch: &[Incoming],
    scope: BatchScope,
    now: Timestamp,
    basis: Basis,
) -> Result<Attempt, sqlx::Error> {
    let idempotency = scope.idempotency_lock();
    let known = match basis {
        Basis::Nothing => Known::default(),
        Basis::Tasks => load_tasks(connection, batch).await?,
        Basis::Read => load(connection, batch, Lock::None).await?,
        Basis::Locked => load(connection, batch, Lock::Rows { idempotency }).await?,
    };
    if known.is_locked {
        return Ok(Attempt::InFlight);
    }
    let folded = fold(batch, known, now).map_err(unwritable)?;
    if scope.refuse(&folded) {
        return Ok(Attempt::Done(refused(batch)));
    }
    let tasks_stay = basis == Basis::Locked || folded.verifies_tasks(batch);
    let is_done = folded.commands.is_empty()
        || (tasks_stay && write(connection, batch, &folded, now).await?);
    Ok(if is_done { Attempt::Done(folded) } else { Attempt::Conflict })
}

/// The request's key was used by another one: nothing of it is written.
fn refused(batch: &[Incoming]) -> Folded {
    let receipt = Receipt { outcome: Outcome::KeyReused, repeated: true, task: None };
    Folded { receipts: vec![receipt; batch.len()], ..Folded::default() }
}

/// What a batch is decided on, as a rule. A caller's request has to be looked up: its idempotency lock, and
/// whose its key is. A producer's command has one key, which is free if nobody has processed it.
fn usual_basis(batch: &[Incoming], scope: BatchScope) -> Basis {
    let of_producer = |one: &Incoming| one.caller.is_none() && one.request.is_none();
    let creates = |one: &Incoming| matches!(one.command.action, Action::Create(_));
    if scope.idempotency_lock().is_some() {
        Basis::Locked
    } else if matches!(scope, BatchScope::Request { .. }) || !batch.iter().all(of_producer) {
        Basis::Read
    } else if batch.iter().all(creates) {
        Basis::Nothing
    } else {
        Basis::Tasks
    }
}

#[cfg(test)]
mod tests {
    use domain::{Action, Command, Expected};

    use super::*;
    use crate::inbox::CommandKey;

    fn of(tenant: &str, action: Action) -> Incoming {
        Incoming {
            key: CommandKey { source: "/test".to_owned(), id: "1".to_owned() },
            command: Command {
                tenant: tenant.parse().unwrap(),
                task: "0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10".parse().unwrap(),
                action,
            },
            caller: None,
            traceparent: None,
            request: None,
        }
    }

    #[test]
    fn only_what_a_producer_sends_is_not_looked_up() {
        let create = serde_json::from_str(r#"{"title": "Buy milk"}"#).unwrap();
        let create = of("acme", Action::Create(create));
        let delete = of("acme", Action::Delete(Expected::default()));
        let request = Incoming { caller: Some("ann".parse().unwrap()), ..create.clone() };
        let part = Incoming { request: Some([0; 32]), ..create.clone() };
        let usual = |second: &Incoming| {
            usual_basis(&[create.clone(), second.clone()], BatchScope::Separate)
        };
        assert_eq!(usual(&create), Basis::Nothing);
        assert_eq!(usual(&delete), Basis::Tasks);
        assert_eq!([usual(&request), usual(&part)], [Basis::Read; 2]);
        for (idempotency_lock, expected) in [(None, Basis::Read), (Some(1), Basis::Locked)] {
            let scope = BatchScope::Request { idempotency_lock };
            assert_eq!(usual_basis(std::slice::from_ref(&create), scope), expected);
        }
    }
}
