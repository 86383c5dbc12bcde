-- Lists of tasks: an index for each order, and one for what they are filtered by.

-- Trusted extensions: who may create objects in the database may create these.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

SET LOCAL ROLE task_app_owner;

-- A page is read in its order until it is full: nothing is sorted, however many tasks there are.
-- The status comes first because it goes with age: whoever asks for the oldest open tasks must not
-- wait for all that were completed since. What is filtered by comes last: a task that does not fit
-- is passed over in the index, where a hundred fit in a block, and is not fetched. Deleted tasks are
-- in none, so that they cost readers nothing.
CREATE INDEX tasks_by_created
ON tasks (tenant, status, created_at, id, updated_at, due_date, priority, assignee)
WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_updated
ON tasks (tenant, status, updated_at, id, due_date, priority, assignee)
WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_due
ON tasks (tenant, status, due_date, id, updated_at, priority, assignee)
WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_priority
ON tasks (tenant, status, priority, id, updated_at, due_date, assignee)
WHERE deleted_at IS NULL;

-- For filters that few tasks fit, in any combination: those few are found first, then sorted.
CREATE INDEX tasks_by_filter ON tasks USING gin (tenant, status, assignee, tags, title gin_trgm_ops)
WHERE deleted_at IS NULL;

-- What lists are read from. A view reads with the rights of the table's owner, who is under no
-- row-level security. Under it PostgreSQL would not look at its statistics of tags and titles, lest
-- a plan tells of rows that are not to be seen, and would guess wrong which index is best.
-- Who adds a column to the table that a list is to show replaces the view.
CREATE VIEW listed_tasks AS SELECT * FROM tasks WHERE deleted_at IS NULL;
GRANT SELECT ON listed_tasks TO task_app_reader;

RESET ROLE;
