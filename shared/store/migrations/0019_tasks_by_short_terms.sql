-- no-transaction
-- For searches of titles in Chinese, Japanese and Korean for a letter or two. No other title is in it.
CREATE INDEX CONCURRENTLY IF NOT EXISTS tasks_by_short_terms
ON tasks USING gin (tenant, status, short_terms(cjk_title(title)))
WHERE deleted_at IS NULL AND cjk_title(title) IS NOT NULL;
