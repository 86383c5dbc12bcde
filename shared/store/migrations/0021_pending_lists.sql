-- What is written to a GIN index is appended to a list of new entries first, and is merged once that list is full:
-- by whoever fills it up, while its transaction waits. Each search reads all of the list. PostgreSQL's limit is
-- 4 MB; with a quarter of it a search reads at most a quarter as much, and no commit waits for as long.
-- Expand only: older processes do not notice.

SET LOCAL ROLE task_app_owner;

ALTER INDEX tasks_by_filter SET (gin_pending_list_limit = 1024);
ALTER INDEX tasks_by_short_terms SET (gin_pending_list_limit = 1024);

RESET ROLE;
