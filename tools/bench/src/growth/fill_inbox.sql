-- A command for each task.
INSERT INTO inbox (tenant, source, command_id, task_id, fingerprint, outcome, processed_at)
SELECT
    tenant, '/bench/writers', id::text, id, sha256(uuid_send(id)), '{"applied": {"version": 1}}', created_at
FROM tasks
