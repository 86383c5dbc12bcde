//! The first statement of the write path: what is known already.

use std::collections::{BTreeSet, HashMap};

use domain::{Task, TaskId, TenantId};
use sqlx::PgConnection;
use sqlx::types::{Json, Uuid};

use crate::inbox::{CommandKey, Incoming, Outcome};

/// What the database knows of a batch's tasks and commands.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The tasks that exist, deleted ones too; locked until the transaction ends.
    pub(crate) tasks: HashMap<(TenantId, TaskId), Task>,
    /// The commands that were processed before.
    pub(crate) commands: HashMap<(TenantId, CommandKey), Processed>,
    /// Whether another transaction holds the claim that was asked for. Then nothing else counts.
    pub(crate) is_claimed: bool,
}

/// A command that was processed before.
#[derive(Clone, Debug)]
pub(crate) struct Processed {
    pub(crate) task: TaskId,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) outcome: Outcome,
}

/// Loads and locks the tasks of `batch`, and looks its commands up, in one round trip. The tasks of
/// commands that were processed before are among them: a repeated create may name another.
///
/// Rows are locked in key order, whatever the order of the batch, so that no two batches can wait
/// for each other. A command that another transaction processes while this statement waits for a
/// lock is not seen here; the unique key of the inbox catches it when it is written.
///
/// `claim`, an advisory lock, is tried before any row is locked, and is never waited for. If another
/// transaction holds it, until its end, nothing is locked.
pub(crate) async fn load(
    connection: &mut PgConnection,
    batch: &[Incoming],
    claim: Option<i64>,
) -> Result<Known, sqlx::Error> {
    let tasks: BTreeSet<_> = batch.iter().map(task_key).collect();
    let (task_tenants, task_ids): (Vec<String>, Vec<Uuid>) =
        tasks.into_iter().map(|(tenant, id)| (tenant.to_string(), id.as_uuid())).unzip();
    let tenants: Vec<_> = batch.iter().map(|one| one.command.tenant.to_string()).collect();
    let sources: Vec<_> = batch.iter().map(|one| one.key.source.clone()).collect();
    let ids: Vec<_> = batch.iter().map(|one| one.key.id.clone()).collect();

    let rows = sqlx::query!(
        r#"
        WITH claim AS MATERIALIZED (
            SELECT coalesce(pg_try_advisory_xact_lock($6), true) AS is_ours
        ),
        seen AS MATERIALIZED (
            SELECT inbox.*
            FROM unnest($3::text[], $4::text[], $5::text[]) AS wanted (tenant, source, command_id)
            JOIN inbox USING (tenant, source, command_id)
        ),
        wanted AS (
            SELECT * FROM unnest($1::text[], $2::uuid[]) AS wanted (tenant, id)
            UNION
            SELECT tenant, task_id FROM seen
        ),
        locked AS MATERIALIZED (
            SELECT tasks.*
            FROM wanted
            JOIN tasks USING (tenant, id)
            WHERE (SELECT is_ours FROM claim)
            ORDER BY tasks.tenant, tasks.id
            FOR NO KEY UPDATE OF tasks
        )
        SELECT
            to_jsonb(locked) AS "task: Json<Task>", NULL AS tenant, NULL AS source,
            NULL AS command_id, NULL::uuid AS task_id, NULL::bytea AS fingerprint,
            NULL::jsonb AS "outcome: Json<Outcome>", false AS "is_claimed!"
        FROM locked
        UNION ALL
        SELECT NULL, tenant, source, command_id, task_id, fingerprint, outcome, false FROM seen
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, true FROM claim WHERE NOT is_ours
        "#,
        &task_tenants,
        &task_ids,
        &tenants,
        &sources,
        &ids,
        claim,
    )
    .fetch_all(connection)
    .await?;

    let mut known = Known::default();
    for row in rows {
        known.is_claimed |= row.is_claimed;
        if let Some(Json(task)) = row.task {
            known.tasks.insert((task.tenant.clone(), task.id), task);
        } else if let (
            Some(tenant),
            Some(source),
            Some(id),
            Some(task),
            Some(fingerprint),
            Some(outcome),
        ) =
            (row.tenant, row.source, row.command_id, row.task_id, row.fingerprint, row.outcome)
        {
            let tenant = tenant.try_into().map_err(unreadable)?;
            let task = task.try_into().map_err(unreadable)?;
            let processed = Processed { task, fingerprint, outcome: outcome.0 };
            known.commands.insert((tenant, CommandKey { source, id }), processed);
        }
    }
    Ok(known)
}

fn task_key(incoming: &Incoming) -> (&TenantId, TaskId) {
    (&incoming.command.tenant, incoming.command.task)
}

pub(crate) fn unreadable(invalid: domain::Invalid) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(invalid))
}
