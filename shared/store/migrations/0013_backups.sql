-- Backups: a role that reads everything and writes nothing. Expand only: older processes do not notice.

DO $$
BEGIN
    EXECUTE 'CREATE ROLE task_app_backup NOLOGIN';
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;

GRANT USAGE ON SCHEMA public TO task_app_backup;

-- The list of migrations belonged to the user that migrated first. A dump would name that user, whom
-- the server that it is restored to may not know.
DO $$
BEGIN
    IF to_regclass('public._sqlx_migrations') IS NOT NULL THEN
        ALTER TABLE public._sqlx_migrations OWNER TO task_app_owner;
    END IF;
END
$$;

SET LOCAL ROLE task_app_owner;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO task_app_backup;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO task_app_backup;
-- A table that is forgotten would be missing in every backup.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO task_app_backup;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON SEQUENCES TO task_app_backup;

-- A table under row-level security needs a policy, too: without one no row is seen, and no error either.
-- `backup dump` refuses such a table.
CREATE POLICY every_tenant_to_backups ON tasks FOR SELECT TO task_app_backup USING (true);
CREATE POLICY every_tenant_to_backups ON inbox FOR SELECT TO task_app_backup USING (true);
CREATE POLICY every_tenant_to_backups ON outbox FOR SELECT TO task_app_backup USING (true);
CREATE POLICY every_tenant_to_backups ON attachments FOR SELECT TO task_app_backup USING (true);

RESET ROLE;
