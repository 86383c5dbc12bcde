WITH task AS (
    UPDATE tasks SET title = new.title, version = tasks.version + 1, updated_at = $1
    FROM unnest($2::text[], $3::uuid[], $8::text[]) AS new (tenant, id, title)
    WHERE tasks.tenant = new.tenant AND tasks.id = new.id
    RETURNING tasks.*
),
command AS (
    INSERT INTO inbox (tenant, source, command_id, task_id, fingerprint, outcome, processed_at)
    SELECT tenant, source, command_id, task_id, fingerprint, outcome::jsonb, $1
    FROM unnest($2::text[], $4::text[], $5::text[], $3::uuid[], $6::bytea[], $7::text[])
    AS command (tenant, source, command_id, task_id, fingerprint, outcome)
)
INSERT INTO outbox (tenant, task_id, type, data, occurred_at)
SELECT tenant, id, 'dev.task-app.task.updated.v1', to_jsonb(task), $1
FROM task
