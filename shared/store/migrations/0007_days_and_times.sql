-- Days and times that every reader can read: the years 1 to 9999. PostgreSQL writes others as `BC`,
-- with five digits, or as `infinity`, which neither RFC 3339 nor JSON Schema's `date` knows.

SET LOCAL ROLE task_app_owner;

-- Year 0 was accepted once. The day that there is next to it makes such a task readable again.
UPDATE tasks SET due_date = '0001-01-01' WHERE due_date < '0001-01-01';
UPDATE tasks SET due_date = '9999-12-31' WHERE due_date > '9999-12-31';

-- Not validated, which would hold the table's lock for as long as it is read.
ALTER TABLE tasks
ADD CONSTRAINT due_date_known
CHECK (due_date BETWEEN '0001-01-01' AND '9999-12-31') NOT VALID,
ADD CONSTRAINT times_known
CHECK (
    least(created_at, updated_at, completed_at, deleted_at) >= '0001-01-01 00:00:00+00'
    AND greatest(created_at, updated_at, completed_at, deleted_at) < '9999-12-31 00:00:00+00'
) NOT VALID;

ALTER TABLE attachments
ADD CONSTRAINT times_known
CHECK (
    least(created_at, updated_at, deleted_at) >= '0001-01-01 00:00:00+00'
    AND greatest(created_at, updated_at, deleted_at) < '9999-12-31 00:00:00+00'
) NOT VALID;

RESET ROLE;
