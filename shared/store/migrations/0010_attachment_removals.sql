-- An attachment whose object cannot be removed waits longer after each attempt, so that the sweep
-- reaches the others. Expand only: older processes ignore the columns.

SET LOCAL ROLE task_app_owner;

ALTER TABLE attachments
ADD COLUMN removal_attempts smallint NOT NULL DEFAULT 0,
-- When the next attempt is due; before the first, the deletion.
ADD COLUMN remove_after timestamptz;

CREATE INDEX attachments_to_remove ON attachments ((COALESCE(remove_after, deleted_at)))
WHERE deleted_at IS NOT NULL;

GRANT UPDATE (removal_attempts, remove_after) ON attachments TO task_app_attachments;

RESET ROLE;
