//! The last statement of the write path: everything that a batch writes, at once.

use domain::{Actor, Task, Timestamp, Version};
use sqlx::PgExecutor;

use crate::fold::{Folded, NewCommand, NewFact};
use crate::inbox::{Incoming, tenants};

/// Writes tasks, inbox and outbox in one round trip, in a transaction or as one. Returns whether it did: if
/// not, others wrote all of it before, and nothing was written.
///
/// Notifies the relays if one of them sleeps.
///
/// Rows go in key order, tasks before commands, so that no two batches can wait for each other.
///
/// # Errors
/// If others wrote a part of it before, PostgreSQL says that it is [a conflict](crate::error::is_conflict), and
/// undoes the transaction.
#[expect(clippy::too_many_lines, reason = "it is one statement with its columns")]
pub(crate) async fn write(
    executor: impl PgExecutor<'_>,
    batch: &[Incoming],
    folded: &Folded,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let commands = in_key_order(batch, folded);
    let facts = facts(batch, folded);

    let written = sqlx::query!(
        r#"
        -- Until the end of the transaction, which may be that of this statement.
        WITH tenants AS MATERIALIZED (
            SELECT set_config('app.tenants', $31, true)
        ),
        -- Each task as the batch leaves it, with the version that was loaded: 0 for a new one.
        task AS MATERIALIZED (
            SELECT * FROM unnest(
                $1::bigint[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                $7::text[], $8::text[], $9::date[], $10::text[], $11::bigint[],
                $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[]
            ) AS task (
                base_version, tenant, id, title, description, status, priority, assignee, due_date,
                tags, version, created_at, updated_at, completed_at, deleted_at
            )
        ),
        -- One that another transaction created meanwhile is not counted, and so is a conflict.
        created AS (
            INSERT INTO tasks (
                tenant, id, title, description, status, priority, assignee, due_date, tags,
                version, created_at, updated_at, completed_at, deleted_at
            )
            SELECT
                tenant, id, title, description, status, priority, assignee, due_date,
                string_to_array(tags, ','), version, created_at, updated_at, completed_at, deleted_at
            FROM task
            WHERE base_version = 0 AND (SELECT count(*) FROM tenants) = 1
            ON CONFLICT DO NOTHING RETURNING 1
        ),
        -- The same for one that another transaction changed since it was loaded.
        changed AS (
            UPDATE tasks SET
                title = task.title, description = task.description, status = task.status,
                priority = task.priority, assignee = task.assignee, due_date = task.due_date,
                tags = string_to_array(task.tags, ','), version = task.version,
                updated_at = task.updated_at, completed_at = task.completed_at,
                deleted_at = task.deleted_at
            FROM task
            WHERE task.base_version > 0
            -- An array of one: see `Plans::ByKey`.
            AND tasks.tenant = ANY (ARRAY[task.tenant]) AND tasks.id = task.id
            AND tasks.version = task.base_version
            RETURNING 1
        ),
        -- The same for a command that another transaction processed.
        processed AS (
            INSERT INTO inbox (
                tenant, source, command_id, task_id, fingerprint, outcome, caller, processed_at
            )
            SELECT *, $22 FROM unnest(
                $16::text[], $17::text[], $18::text[], $19::uuid[], $20::bytea[], $21::jsonb[],
                $29::text[]
            )
            WHERE (SELECT count(*) FROM tenants) = 1
            ON CONFLICT DO NOTHING RETURNING 1
        ),
        -- In the transaction of their changes: no change is without its fact. None, if it is to be run again.
        pending AS (
            INSERT INTO outbox (tenant, task_id, type, data, traceparent, occurred_at, actor)
            SELECT * FROM unnest(
                $23::text[], $24::uuid[], $25::text[], $26::jsonb[], $27::text[], $28::timestamptz[],
                $30::text[]
            )
            WHERE (SELECT count(*) FROM processed) = cardinality($16::text[])
        ),
        done AS MATERIALIZED (
            SELECT
                (SELECT count(*) FROM created) + (SELECT count(*) FROM changed) AS tasks,
                (SELECT count(*) FROM processed) AS commands
        )
        SELECT
            CASE
                WHEN tasks = cardinality($2::text[]) AND commands = cardinality($16::text[]) THEN true
                WHEN tasks = 0 AND commands = 0 THEN false
                ELSE refuse_part()
            END AS "is_written!",
            (
                SELECT count(pg_notify('outbox', ''))
                FROM (SELECT 1 FROM outbox_relays WHERE sleeping AND seen_until > now() LIMIT 1) AS one
            ) AS "notified!"
        FROM done
        "#,
        &tasks(folded, |(before, _)| *before) as &[Version],
        &tasks(folded, |(_, task)| task.tenant.to_string()),
        &tasks(folded, |(_, task)| task.id.as_uuid()),
        &tasks(folded, |(_, task)| task.title.to_string()),
        &tasks(folded, |(_, task)| task.description.as_ref().map(ToString::to_string)) as &[Option<String>],
        &tasks(folded, |(_, task)| task.status.as_str()) as &[&str],
        &tasks(folded, |(_, task)| task.priority.as_str()) as &[&str],
        &tasks(folded, |(_, task)| task.assignee.as_ref().map(ToString::to_string)) as &[Option<String>],
        &tasks(folded, |(_, task)| task.due_date.map(domain::DueDate::as_date)) as &[Option<chrono::NaiveDate>],
        &tasks(folded, |(_, task)| joined_tags(task)),
        &tasks(folded, |(_, task)| task.version),
        &tasks(folded, |(_, task)| task.created_at),
        &tasks(folded, |(_, task)| task.updated_at),
        &tasks(folded, |(_, task)| task.completed_at) as &[Option<Timestamp>],
        &tasks(folded, |(_, task)| task.deleted_at) as &[Option<Timestamp>],
        &commands.iter().map(|(from, _)| from.command.tenant.to_string()).collect::<Vec<_>>(),
        &commands.iter().map(|(_, command)| command.key.source.clone()).collect::<Vec<_>>(),
        &commands.iter().map(|(_, command)| command.key.id.clone()).collect::<Vec<_>>(),
        &commands.iter().map(|(from, _)| from.command.task.as_uuid()).collect::<Vec<_>>(),
        &commands.iter().map(|(_, command)| command.fingerprint.to_vec()).collect::<Vec<_>>(),
        &commands.iter().map(|(_, command)| sqlx::types::Json(&command.recorded)).collect::<Vec<_>>() as _,
        now,
        &facts.iter().map(|(from, _)| from.command.tenant.to_string()).collect::<Vec<_>>(),
        &facts.iter().map(|(from, _)| from.command.task.as_uuid()).collect::<Vec<_>>(),
        &facts.iter().map(|(_, fact)| fact.kind.as_str()).collect::<Vec<_>>() as &[&str],
        &facts.iter().map(|(_, fact)| sqlx::types::Json(&fact.data)).collect::<Vec<_>>() as _,
        &facts.iter().map(|(from, _)| from.traceparent.clone()).collect::<Vec<_>>() as &[Option<String>],
        &facts.iter().map(|(_, fact)| fact.occurred_at).collect::<Vec<_>>(),
        &commands.iter().map(|(from, _)| from.caller.as_ref().map(Actor::as_str)).collect::<Vec<_>>() as &[Option<&str>],
        &facts.iter().map(|(from, _)| from.actor()).collect::<Vec<_>>() as &[Option<&str>],
        &tenants(batch),
    )
    .fetch_one(executor)
    .await?;
    Ok(written.is_written)
}

/// The new commands, each with where it came from.
fn in_key_order<'a>(
    batch: &'a [Incoming],
    folded: &'a Folded,
) -> Vec<(&'a Incoming, &'a NewCommand)> {
    let commands = folded.commands.iter();
    let mut commands: Vec<_> =
        commands.filter_map(|command| Some((batch.get(command.index)?, command))).collect();
    commands.sort_by(|(a, left), (b, right)| {
        (&a.command.tenant, &left.key).cmp(&(&b.command.tenant, &right.key))
    });
    commands
}

/// The facts, each with the command that led to it.
fn facts<'a>(batch: &'a [Incoming], folded: &'a Folded) -> Vec<(&'a Incoming, &'a NewFact)> {
    folded.facts.iter().filter_map(|fact| Some((batch.get(fact.index)?, fact))).collect()
}

fn tasks<T>(folded: &Folded, column: impl FnMut(&(Version, Task)) -> T) -> Vec<T> {
    folded.tasks.iter().map(column).collect()
}

/// Tags have no comma, and PostgreSQL has no arrays of arrays of different lengths.
fn joined_tags(task: &Task) -> String {
    task.tags.iter().map(domain::Tag::as_str).collect::<Vec<_>>().join(",")
}
