WITH task AS (
    INSERT INTO tasks (
        tenant, id, title, description, status, priority, assignee, due_date, tags, version, created_at, updated_at
    )
    SELECT
        tenant, id, title, description, 'open', priority, assignee, due_date, string_to_array(tags, ','), 1, $1, $1
    FROM unnest($2::text[], $3::uuid[], $9::text[], $10::text[], $11::text[], $12::text[], $13::date[], $14::text[])
    AS task (tenant, id, title, description, priority, assignee, due_date, tags)
),
command AS (
    INSERT INTO inbox (tenant, source, command_id, task_id, fingerprint, outcome, processed_at)
    SELECT tenant, source, command_id, task_id, fingerprint, outcome::jsonb, $1
    FROM unnest($2::text[], $4::text[], $5::text[], $3::uuid[], $6::bytea[], $7::text[])
    AS command (tenant, source, command_id, task_id, fingerprint, outcome)
)
INSERT INTO outbox (tenant, task_id, type, data, occurred_at, actor)
SELECT tenant, task_id, 'dev.task-app.task.created.v1', data::jsonb, $1, actor
FROM unnest($2::text[], $3::uuid[], $8::text[], $4::text[]) AS fact (tenant, task_id, data, actor)
