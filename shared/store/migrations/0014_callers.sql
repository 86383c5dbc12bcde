-- Whose a request is. Idempotency keys belong to the caller that chose them, and facts name who changed
-- the task. Expand only: older processes leave the columns empty, and take no notice of them. A key without
-- a caller belongs to whoever shows it, as it did before.

SET LOCAL ROLE task_app_owner;

-- Of a request over HTTP; a producer's command has its `source`.
ALTER TABLE inbox ADD COLUMN caller text COLLATE "C";
ALTER TABLE attachments ADD COLUMN caller text COLLATE "C";
ALTER TABLE outbox ADD COLUMN actor text COLLATE "C";

RESET ROLE;
