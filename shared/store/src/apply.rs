//! The write path: a batch of commands in one transaction.
//!
//! Four round trips, whatever the size of the batch: begin, load and lock, write, commit. A batch
//! of repeats writes nothing and takes three. Correctness depends on unique keys and row versions,
//! not on locks: where a lock was not enough (a task or a command that did not exist yet when two
//! transactions looked), the write notices and the transaction runs again.
//!
//! Creates of producers are new, as a rule, and nothing is known of what is new. So a batch of them is
//! written without being looked up, in one round trip. If the write notices that something was there,
//! it is looked up then, and the next such batch is looked up first: repeats come in a row.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::SubsecRound as _;
use domain::{Action, Timestamp};
use tokio::time::sleep;

use crate::cache::{AsOf, Origin};
use crate::error::{ApplyError, is_conflict, unwritable};
use crate::fold::{Folded, fold};
use crate::inbox::{Incoming, Outcome, Receipt, tenants};
use crate::load::{Known, load};
use crate::pool::Pool;
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
    /// Another transaction wrote the same rows first.
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
            let is_new = is_new_as_a_rule(&batch, scope);
            let assume_new = is_new && !store.creates_repeat.load(Ordering::Relaxed);
            let folded = attempt_until_alone(&store.pool, &batch, scope, now, assume_new).await?;
            if is_new {
                let repeats = folded.receipts.iter().any(|receipt| receipt.repeated);
                store.creates_repeat.store(repeats, Ordering::Relaxed);
            }
            let read = folded.receipts.iter().filter_map(|receipt| receipt.task.as_ref());
            let read = read.map(|task| (Origin::Read, task));
            let changed = folded.tasks.iter().map(|(_, task)| (Origin::Changed, task));
            store.cache.put(read.chain(changed), as_of).await;
            Ok(folded.receipts)
        });
        apply.await.unwrap_or(Err(ApplyError::Unavailable(sqlx::Error::WorkerCrashed)))
    }
}

async fn attempt_until_alone(
    pool: &Pool,
    batch: &[Incoming],
    scope: BatchScope,
    now: Timestamp,
    assume_new: bool,
) -> Result<Folded, ApplyError> {
    for attempt in 1..=ATTEMPTS {
        match attempt_once(pool, batch, scope, now, assume_new && attempt == 1).await {
            Ok(Attempt::Done(folded)) => return Ok(folded),
            Ok(Attempt::InFlight) => return Err(ApplyError::InFlight),
            Ok(Attempt::Conflict) => {}
            Err(error) if is_conflict(&error) => {}
            Err(error) => return Err(error.into()),
        }
        tracing::debug!(attempt, "another transaction was faster");
        sleep(PAUSE * attempt).await;
    }
    Err(ApplyError::Contended)
}

async fn attempt_once(
    pool: &Pool,
    batch: &[Incoming],
    scope: BatchScope,
    now: Timestamp,
    assume_new: bool,
) -> Result<Attempt, sqlx::Error> {
    if assume_new {
        let folded = fold(batch, Known::default(), now).map_err(unwritable)?;
        if write(pool, batch, &folded, now).await? {
            return Ok(Attempt::Done(folded));
        }
    }
    let mut transaction = pool.begin_with(begin(batch)).await?;
    let known = load(&mut transaction, batch, scope.idempotency_lock()).await?;
    if known.is_locked {
        transaction.rollback().await?;
        return Ok(Attempt::InFlight);
    }
    let folded = fold(batch, known, now).map_err(unwritable)?;
    if scope.refuse(&folded) {
        transaction.rollback().await?;
        let receipt = Receipt { outcome: Outcome::KeyReused, repeated: true, task: None };
        let receipts = vec![receipt; batch.len()];
        return Ok(Attempt::Done(Folded { receipts, ..Folded::default() }));
    }
    if !folded.commands.is_empty() && !write(&mut transaction, batch, &folded, now).await? {
        transaction.rollback().await?;
        return Ok(Attempt::Conflict);
    }
    transaction.commit().await?;
    Ok(Attempt::Done(folded))
}

/// Whether nothing need be known of the batch to decide on its commands, unless some of them were applied
/// before. A caller's request has to be looked up: its idempotency lock, and whose its key is.
fn is_new_as_a_rule(batch: &[Incoming], scope: BatchScope) -> bool {
    let of_producer = |one: &Incoming| one.caller.is_none() && one.request.is_none();
    let creates = |one: &Incoming| matches!(one.command.action, Action::Create(_));
    matches!(scope, BatchScope::Separate)
        && batch.iter().all(|one| of_producer(one) && creates(one))
}

/// Begins the transaction and names its tenants for row-level security in one message. A tenant's
/// alphabet (lower-case letters, digits, `-`) needs no quoting.
fn begin(batch: &[Incoming]) -> String {
    format!("BEGIN; SET LOCAL app.tenants = '{}'", tenants(batch))
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
    fn only_creates_of_producers_are_new_as_a_rule() {
        let create = serde_json::from_str(r#"{"title": "Buy milk"}"#).unwrap();
        let create = of("acme", Action::Create(create));
        let delete = of("acme", Action::Delete(Expected::default()));
        let request = Incoming { caller: Some("ann".parse().unwrap()), ..create.clone() };
        let part = Incoming { request: Some([0; 32]), ..create.clone() };
        let is_new = |batch: &[Incoming]| is_new_as_a_rule(batch, BatchScope::Separate);
        assert!(is_new(&[create.clone(), create.clone()]));
        for other in [delete, request, part] {
            assert!(!is_new(&[create.clone(), other]));
        }
        let request = BatchScope::Request { idempotency_lock: None };
        assert!(!is_new_as_a_rule(&[create], request));
    }

    #[test]
    fn a_transaction_names_the_tenants_of_its_batch_and_no_other() {
        let of = |tenant| of(tenant, Action::Delete(Expected::default()));
        let batch = [of("other"), of("acme"), of("other")];
        assert_eq!(begin(&batch), "BEGIN; SET LOCAL app.tenants = 'acme,other'");
    }
}
