-- no-transaction
-- Which commands of a task were refused, for operators. Few are: others are not in the index.
CREATE INDEX CONCURRENTLY IF NOT EXISTS inbox_refused
ON inbox (tenant, task_id, processed_at) WHERE (outcome ? 'refused');
