//! The first statement of the write path: what is known already.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{Task, TaskId, TenantId};
use sqlx::types::Uuid;

use crate::inbox::{CommandKey, Incoming, Recorded};
use crate::pool::Transaction;
use crate::stored::{Stored, Unreadable};

/// What the database knows of a batch's tasks and commands.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The tasks that exist, deleted ones too; locked until the transaction ends.
    pub(crate) tasks: HashMap<(TenantId, TaskId), Task>,
    /// The tasks that exist and cannot be read.
    pub(crate) unreadable: HashSet<(TenantId, TaskId)>,
    /// The commands that were processed before; `None` if what was recorded cannot be read.
    pub(crate) commands: HashMap<(TenantId, CommandKey), Option<Processed>>,
    /// To which callers their keys belong, as far as that was recorded.
    pub(crate) callers: HashMap<(TenantId, CommandKey), String>,
    /// Whether another transaction holds the request's idempotency lock. Then nothing else counts.
    pub(crate) is_locked: bool,
}

/// A command that was processed before.
#[derive(Clone, Debug)]
pub(crate) struct Processed {
    pub(crate) task: TaskId,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) recorded: Recorded,
}

/// Loads and locks the tasks of `batch`, and looks its commands up, in one round trip. The tasks of
/// commands that were processed before are among them: a repeated create may name another.
///
/// Rows are locked in key order, whatever the order of the batch, so that no two batches can wait
/// for each other. A command that another transaction processes while this statement waits for a
/// lock is not seen here; the unique key of the inbox catches it when it is written.
///
/// `idempotency_lock` is tried before any row is locked, and is never waited for. If another
/// transaction holds it, until its end, nothing is locked.
pub(crate) async fn load(
    transaction: &mut Transaction,
    batch: &[Incoming],
    idempotency_lock: Option<i64>,
) -> Result<Known, sqlx::Error> {
    let tasks: BTreeSet<_> = batch.iter().map(task_key).collect();
    let (task_tenants, task_ids): (Vec<String>, Vec<Uuid>) =
        tasks.into_iter().map(|(tenant, id)| (tenant.to_string(), id.as_uuid())).unzip();
    let (mut tenants, mut sources, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for (incoming, key) in batch.iter().flat_map(keys) {
        tenants.push(incoming.command.tenant.to_string());
        sources.push(key.source);
        ids.push(key.id);
    }

    let rows = sqlx::query!(
        r#"
        WITH idempotency_lock AS MATERIALIZED (
            SELECT coalesce(pg_try_advisory_xact_lock($6), true) AS is_ours
        ),
        seen AS MATERIALIZED (
            SELECT inbox.*
            FROM unnest($3::text[], $4::text[], $5::text[]) AS wanted (tenant, source, command_id)
            -- An array of one: see `Plans::ByKey`.
            JOIN inbox ON inbox.tenant = ANY (ARRAY[wanted.tenant])
            AND inbox.source = wanted.source AND inbox.command_id = wanted.command_id
        ),
        wanted AS (
            SELECT * FROM unnest($1::text[], $2::uuid[]) AS wanted (tenant, id)
            UNION
            SELECT tenant, task_id FROM seen
        ),
        locked AS MATERIALIZED (
            SELECT tasks.*
            FROM wanted
            JOIN tasks ON tasks.tenant = ANY (ARRAY[wanted.tenant]) AND tasks.id = wanted.id
            WHERE (SELECT is_ours FROM idempotency_lock)
            ORDER BY wanted.tenant COLLATE "C", wanted.id
            FOR NO KEY UPDATE OF tasks
        )
        SELECT
            to_json(locked) AS "task: Stored<Task>", tenant, NULL AS source,
            NULL AS command_id, NULL AS caller, id AS task_id, NULL::bytea AS fingerprint,
            NULL::jsonb AS "outcome: Stored<Recorded>", false AS "is_locked!"
        FROM locked
        UNION ALL
        SELECT NULL, tenant, source, command_id, caller, task_id, fingerprint, outcome, false FROM seen
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true FROM idempotency_lock WHERE NOT is_ours
        "#,
        &task_tenants,
        &task_ids,
        &tenants,
        &sources,
        &ids,
        idempotency_lock,
    )
    .fetch_all(transaction)
    .await?;

    let mut known = Known::default();
    for row in rows {
        known.is_locked |= row.is_locked;
        let (Some(tenant), Some(task)) = (row.tenant, row.task_id) else { continue };
        let tenant: TenantId = tenant.try_into().map_err(unreadable)?;
        if let Some(Stored(stored)) = row.task {
            known.add_task(tenant, task, stored);
        } else if let (Some(source), Some(id), Some(fingerprint), Some(Stored(recorded))) =
            (row.source, row.command_id, row.fingerprint, row.outcome)
        {
            let key = CommandKey { source, id };
            if let Some(caller) = row.caller {
                known.callers.insert((tenant.clone(), key.clone()), caller);
            }
            known.add_command(tenant, key, task, fingerprint, recorded);
        }
    }
    Ok(known)
}

impl Known {
    /// Under which key a command is recorded, or is to be: its own, unless another caller has that.
    ///
    /// A key of which no caller is recorded is from before callers were: it belongs to whoever shows it.
    pub(crate) fn key(&self, incoming: &Incoming) -> CommandKey {
        let tenant = &incoming.command.tenant;
        let (Some(caller), Some(own)) = (&incoming.caller, incoming.own_key()) else {
            return incoming.key.clone();
        };
        let key = (tenant.clone(), incoming.key.clone());
        let is_anothers = self.callers.get(&key).is_some_and(|other| other != caller.as_str());
        let (_, key) = key;
        if is_anothers || self.commands.contains_key(&(tenant.clone(), own.clone())) {
            own
        } else {
            key
        }
    }

    /// A task whose identifier is none is nobody's: no command can name it.
    fn add_task(&mut self, tenant: TenantId, id: Uuid, stored: Result<Task, Unreadable>) {
        let Ok(key) = TaskId::try_from(id) else { return };
        match stored {
            Ok(task) => drop(self.tasks.insert((tenant, key), task)),
            Err(why) => {
                why.report("tasks", id);
                self.unreadable.insert((tenant, key));
            }
        }
    }

    fn add_command(
        &mut self,
        tenant: TenantId,
        key: CommandKey,
        task: Uuid,
        fingerprint: Vec<u8>,
        recorded: Result<Recorded, Unreadable>,
    ) {
        if let Err(why) = &recorded {
            why.report("inbox", task);
        }
        let processed = match (TaskId::try_from(task), recorded) {
            (Ok(task), Ok(recorded)) => Some(Processed { task, fingerprint, recorded }),
            _ => None,
        };
        self.commands.insert((tenant, key), processed);
    }
}

/// The keys under which a command may be recorded.
fn keys(incoming: &Incoming) -> impl Iterator<Item = (&Incoming, CommandKey)> {
    let keys = [Some(incoming.key.clone()), incoming.own_key()];
    keys.into_iter().flatten().map(move |key| (incoming, key))
}

fn task_key(incoming: &Incoming) -> (&TenantId, TaskId) {
    (&incoming.command.tenant, incoming.command.task)
}

pub(crate) fn unreadable(invalid: domain::Invalid) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(invalid))
}
