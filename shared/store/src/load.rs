//! The first statement of the write path: what is there already.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{Task, TaskId, TenantId};
use sqlx::types::Uuid;

use crate::inbox::{CommandKey, Incoming, Recorded, tenants};
use crate::pool::Connection;
use crate::stored::{Stored, Unreadable};

/// What the database knows of a batch's tasks and commands.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The tasks that exist, deleted ones too.
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

/// What becomes of the rows that are loaded until they are written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lock {
    /// Whoever wants may change them.
    None,
    /// They are locked until the transaction ends. `idempotency` is tried before, and is never waited
    /// for. If another transaction holds it, until its end, nothing is locked.
    Rows { idempotency: Option<i64> },
}

/// A task, a command or, if `is_locked`, nothing.
struct Row {
    task: Option<Stored<Task>>,
    tenant: Option<String>,
    source: Option<String>,
    command_id: Option<String>,
    caller: Option<String>,
    task_id: Option<Uuid>,
    fingerprint: Option<Vec<u8>>,
    outcome: Option<Stored<Recorded>>,
    is_locked: bool,
}

/// The statement that loads `$tasks` and the commands under `$keys`: sqlx checks literals only. After `$first`, it takes
/// the rows of tasks by `$how`, and at the end has `$more` rows.
macro_rules! statement {
    ($first:tt, $how:tt, $more:tt, $tasks:expr, $keys:expr, $($value:expr),*) => {
        sqlx::query_as!(
            Row,
            r#"
            WITH "# + $first + r#"
            seen AS MATERIALIZED (
                SELECT inbox.*, inbox.task_id <> wanted.task_id AS is_of_other_task
                FROM unnest($3::text[], $4::text[], $5::text[], $6::uuid[])
                AS wanted (tenant, source, command_id, task_id)
                -- An array of one: see `Plans::ByKey`.
                JOIN inbox ON inbox.tenant = ANY (ARRAY[wanted.tenant])
                AND inbox.source = wanted.source AND inbox.command_id = wanted.command_id
                -- For row-level security, until the end of the transaction, which may be that of this
                -- statement.
                WHERE (SELECT set_config('app.tenants', $7, true)) IS NOT NULL
            ),
            -- By itself, or PostgreSQL would lose rows that it had to wait for.
            wanted AS MATERIALIZED (
                SELECT * FROM unnest($1::text[], $2::uuid[]) AS wanted (tenant, id)
                UNION ALL
                SELECT tenant, task_id FROM seen WHERE is_of_other_task
            ),
            found AS (
                SELECT tasks.*
                FROM wanted
                JOIN tasks ON tasks.tenant = ANY (ARRAY[wanted.tenant]) AND tasks.id = wanted.id
                WHERE (SELECT set_config('app.tenants', $7, true)) IS NOT NULL
                "# + $how + r#"
            )
            SELECT
                to_json(found) AS "task: Stored<Task>", tenant, NULL AS source,
                NULL AS command_id, NULL AS caller, id AS task_id, NULL::bytea AS fingerprint,
                NULL::jsonb AS "outcome: Stored<Recorded>", false AS "is_locked!"
            FROM found
            UNION ALL
            SELECT NULL, tenant, source, command_id, caller, task_id, fingerprint, outcome, false FROM seen
            "# + $more,
            &column($tasks, |(tenant, _)| tenant.as_str()) as &[&str],
            &column($tasks, |(_, id)| id.as_uuid()),
            &column($keys, |(of, _)| of.command.tenant.as_str()) as &[&str],
            &column($keys, |(_, key)| key.source.as_str()) as &[&str],
            &column($keys, |(_, key)| key.id.as_str()) as &[&str],
            &column($keys, |(of, _)| of.command.task.as_uuid()),
            $($value),*
        )
    };
}

/// Loads the tasks of `batch`, and looks its commands up, in one round trip. The tasks of
/// commands that were processed before are among them: a repeated create may name another.
///
/// Rows are locked in key order, whatever the order of the batch, so that no two batches can wait
/// for each other. A command that another transaction processes while this statement waits for a
/// lock is not seen here; the unique key of the inbox catches it when it is written.
pub(crate) async fn load(
    connection: &mut Connection,
    batch: &[Incoming],
    lock: Lock,
) -> Result<Known, sqlx::Error> {
    let tasks = task_keys(batch);
    let keys: Vec<_> = batch.iter().flat_map(keys).collect();
    let tenants = tenants(batch);
    let rows = match lock {
        Lock::None => {
            let statement = statement!("", "", "", &tasks, &keys, tenants);
            statement.fetch_all(connection).await?
        }
        Lock::Rows { idempotency } => {
            let statement = statement!(
                r#"
            idempotency_lock AS MATERIALIZED (
                SELECT coalesce(pg_try_advisory_xact_lock($8), true) AS is_ours
            ),
                "#,
                r#"
                AND (SELECT is_ours FROM idempotency_lock)
                ORDER BY wanted.tenant COLLATE "C", wanted.id
                FOR NO KEY UPDATE OF tasks
                "#,
                r#"
            UNION ALL
            SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true
            FROM idempotency_lock WHERE NOT is_ours
                "#,
                &tasks,
                &keys,
                tenants,
                idempotency
            );
            statement.fetch_all(connection).await?
        }
    };

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

/// Loads the tasks of `batch`, and does not look its commands up.
pub(crate) async fn load_tasks(
    connection: &mut Connection,
    batch: &[Incoming],
) -> Result<Known, sqlx::Error> {
    let tasks = task_keys(batch);
    let rows = sqlx::query!(
        r#"
        SELECT tasks.tenant, tasks.id, to_json(tasks) AS "task!: Stored<Task>"
        FROM unnest($1::text[], $2::uuid[]) AS wanted (tenant, id)
        -- An array of one: see `Plans::ByKey`.
        JOIN tasks ON tasks.tenant = ANY (ARRAY[wanted.tenant]) AND tasks.id = wanted.id
        -- For row-level security, until the end of this statement.
        WHERE (SELECT set_config('app.tenants', $3, true)) IS NOT NULL
        "#,
        &column(&tasks, |(tenant, _)| tenant.as_str()) as &[&str],
        &column(&tasks, |(_, id)| id.as_uuid()),
        tenants(batch),
    );
    let mut known = Known::default();
    for row in rows.fetch_all(connection).await? {
        let tenant = row.tenant.try_into().map_err(unreadable)?;
        known.add_task(tenant, row.id, row.task.0);
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

/// Which tasks a batch is about, in order and each once.
fn task_keys(batch: &[Incoming]) -> Vec<(&TenantId, TaskId)> {
    let keys = batch.iter().map(|one| (&one.command.tenant, one.command.task));
    keys.collect::<BTreeSet<_>>().into_iter().collect()
}

pub(crate) fn unreadable(invalid: domain::Invalid) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(invalid))
}

/// A column of `rows`, as a statement takes it.
pub(crate) fn column<'a, R, T>(rows: &'a [R], column: impl FnMut(&'a R) -> T) -> Vec<T> {
    rows.iter().map(column).collect()
}
