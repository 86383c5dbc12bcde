WITH command AS (
    SELECT *
    FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::uuid[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::text[],
        $10::date[], $11::text[], $12::text[]
    )
    AS command (
        tenant, source, id, task, fingerprint, title, description, priority, assignee, due_date, tags, fact
    )
),
accepted AS (
    INSERT INTO inbox (tenant, source, command_id, task_id, fingerprint, outcome, processed_at)
    SELECT tenant, source, id, task, fingerprint, '{"applied": {"version": 1}}', now()
    FROM command
    ON CONFLICT DO NOTHING
    RETURNING tenant, source, command_id
),
fresh AS (
    SELECT command.*
    FROM command
    JOIN accepted ON
        accepted.tenant = command.tenant AND accepted.source = command.source AND accepted.command_id = command.id
),
task AS (
    INSERT INTO tasks (
        tenant, id, title, description, status, priority, assignee, due_date, tags, version, created_at, updated_at
    )
    SELECT
        tenant, task, title, description, 'open', priority, assignee, due_date, string_to_array(tags, ','), 1, now(),
        now()
    FROM fresh
)
INSERT INTO outbox (tenant, task_id, type, data, occurred_at, actor)
SELECT tenant, task, 'dev.task-app.task.created.v1', fact::jsonb, now(), source
FROM fresh
