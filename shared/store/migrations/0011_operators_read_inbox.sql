-- Operators see which commands took effect and which were refused, without what they said. Expand only:
-- older processes do not notice.

SET LOCAL ROLE task_app_owner;

GRANT SELECT (tenant, source, command_id, task_id, outcome, processed_at)
ON inbox TO task_app_operator;
CREATE POLICY every_tenant_to_operators ON inbox FOR SELECT TO task_app_operator USING (true);

RESET ROLE;
