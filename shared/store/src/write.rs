//! The last statement of the write path: everything that a batch writes, at once.

use chrono::NaiveDate;
use domain::{Actor, Assignee, Description, DueDate, Task, Timestamp, Version};
use sqlx::types::{Json, Uuid};

use crate::fold::{Folded, NewCommand, NewFact};
use crate::inbox::{Incoming, tenants};
use crate::load::column;
use crate::pool::Connection;

/// The statement that writes `$batch`: sqlx checks literals only. `$changed` are its tasks that exist, `$count`
/// how many of them are as they were loaded.
macro_rules! statement {
    ($changed:tt, $count:tt, $batch:expr, $folded:expr, $now:expr) => {{
        let tasks = &$folded.tasks;
        let commands = in_key_order($batch, $folded);
        let facts = facts($batch, $folded);
        sqlx::query!(
            r#"
            -- Each task as the batch leaves it, with the version that was loaded: 0 for a new one.
            WITH task AS (
                SELECT * FROM unnest(
                    $1::bigint[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                    $7::text[], $8::text[], $9::date[], $10::text[], $11::bigint[],
                    $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[]
                ) AS task (
                    base_version, tenant, id, title, description, status, priority, assignee, due_date,
                    tags, version, created_at, updated_at, completed_at, deleted_at
                )
            ),
            "# + $changed + r#"
            -- None, if another transaction changed a task since it was loaded. A command that another one
            -- processed is an error.
            processed AS (
                INSERT INTO inbox (
                    tenant, source, command_id, task_id, fingerprint, outcome, caller, processed_at
                )
                SELECT *, $22 FROM unnest(
                    $16::text[], $17::text[], $18::text[], $19::uuid[], $20::bytea[], $21::jsonb[],
                    $29::text[]
                )
                -- For row-level security, until the end of the transaction, which may be that of this
                -- statement.
                WHERE (SELECT set_config('app.tenants', $31, true)) IS NOT NULL
                AND "# + $count + r#" = cardinality(array_remove($1::bigint[], 0))
                RETURNING 1
            ),
            written AS MATERIALIZED (
                SELECT count(*) AS commands FROM processed
            ),
            -- A task that another transaction created, by another command, is an error.
            created AS (
                INSERT INTO tasks (
                    tenant, id, title, description, status, priority, assignee, due_date, tags,
                    version, created_at, updated_at, completed_at, deleted_at
                )
                SELECT
                    tenant, id, title, description, status, priority, assignee, due_date,
                    string_to_array(tags, ','), version, created_at, updated_at, completed_at, deleted_at
                FROM task
                WHERE base_version = 0 AND (SELECT commands FROM written) = cardinality($16::text[])
            ),
            -- In the transaction of their changes: no change is without its fact.
            pending AS (
                INSERT INTO outbox (tenant, task_id, type, data, traceparent, occurred_at, actor, id)
                SELECT * FROM unnest(
                    $23::text[], $24::uuid[], $25::text[], $26::jsonb[], $27::text[], $28::timestamptz[],
                    $30::text[], $32::uuid[]
                )
                WHERE (SELECT commands FROM written) = cardinality($16::text[])
            )
            SELECT
                CASE
                    WHEN commands = cardinality($16::text[]) THEN true
                    WHEN "# + $count + r#" = 0 THEN false
                    ELSE refuse_part()
                END AS "is_written!",
                (
                    SELECT pg_notify('outbox', '') IS NULL FROM outbox_relays
                    WHERE sleeping AND seen_until > now() LIMIT 1
                ) AS notified
            FROM written
            "#,
            &column(tasks, |(before, _)| *before) as &[Version],
            &column(tasks, |(_, task)| task.tenant.as_str()) as &[&str],
            &column(tasks, |(_, task)| task.id.as_uuid()),
            &column(tasks, |(_, task)| task.title.as_str()) as &[&str],
            &column(tasks, |(_, task)| task.description.as_ref().map(Description::as_str)) as &[Option<&str>],
            &column(tasks, |(_, task)| task.status.as_str()) as &[&str],
            &column(tasks, |(_, task)| task.priority.as_str()) as &[&str],
            &column(tasks, |(_, task)| task.assignee.as_ref().map(Assignee::as_str)) as &[Option<&str>],
            &column(tasks, |(_, task)| task.due_date.map(DueDate::as_date)) as &[Option<NaiveDate>],
            &column(tasks, |(_, task)| joined_tags(task)),
            &column(tasks, |(_, task)| task.version),
            &column(tasks, |(_, task)| task.created_at),
            &column(tasks, |(_, task)| task.updated_at),
            &column(tasks, |(_, task)| task.completed_at) as &[Option<Timestamp>],
            &column(tasks, |(_, task)| task.deleted_at) as &[Option<Timestamp>],
            &column(&commands, |(from, _)| from.command.tenant.as_str()) as &[&str],
            &column(&commands, |(_, command)| command.key.source.as_str()) as &[&str],
            &column(&commands, |(_, command)| command.key.id.as_str()) as &[&str],
            &column(&commands, |(from, _)| from.command.task.as_uuid()),
            &column(&commands, |(_, command)| command.fingerprint.as_slice()) as &[&[u8]],
            &column(&commands, |(_, command)| Json(&command.recorded)) as _,
            $now,
            &column(&facts, |(from, _)| from.command.tenant.as_str()) as &[&str],
            &column(&facts, |(from, _)| from.command.task.as_uuid()),
            &column(&facts, |(_, fact)| fact.kind.as_str()) as &[&str],
            &column(&facts, |(_, fact)| Json(&fact.data)) as _,
            &column(&facts, |(from, _)| from.traceparent.as_deref()) as &[Option<&str>],
            &column(&facts, |(_, fact)| fact.occurred_at),
            &column(&commands, |(from, _)| from.caller.as_ref().map(Actor::as_str)) as &[Option<&str>],
            &column(&facts, |(from, _)| from.actor()) as &[Option<&str>],
            &tenants($batch),
            // PostgreSQL would ask the operating system for each.
            &column(&facts, |_| Uuid::new_v4()),
        )
    }};
}

/// Writes tasks, inbox and outbox in one round trip, in a transaction or as one. Returns whether it did: if
/// not, others wrote before, and nothing was written.
///
/// Notifies the relays if one of them sleeps.
///
/// Tasks that exist go first, then commands, then new tasks, each in key order, so that no two batches can wait
/// for each other, whether their tasks are locked already or not.
///
/// # Errors
/// If others wrote a part of it before, PostgreSQL says that it is [a conflict](crate::error::is_conflict), and
/// undoes the transaction.
pub(crate) async fn write(
    connection: &mut Connection,
    batch: &[Incoming],
    folded: &Folded,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    if folded.tasks.iter().all(|(before, _)| *before == 0) {
        // PostgreSQL would make all ready to change tasks, though there are none.
        let written = statement!("", "0", batch, folded, now);
        return Ok(written.fetch_one(connection).await?.is_written);
    }
    let written = statement!(
        r#"
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
                AND (SELECT set_config('app.tenants', $31, true)) IS NOT NULL
                RETURNING 1
            ),
        "#,
        "(SELECT count(*) FROM changed)",
        batch,
        folded,
        now
    );
    Ok(written.fetch_one(connection).await?.is_written)
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

/// Tags have no comma, and PostgreSQL has no arrays of arrays of different lengths.
fn joined_tags(task: &Task) -> String {
    task.tags.iter().map(domain::Tag::as_str).collect::<Vec<_>>().join(",")
}
