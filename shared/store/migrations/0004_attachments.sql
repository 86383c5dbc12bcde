-- Attachments: what is known of files that wait in S3.

DO $$
BEGIN
    EXECUTE 'CREATE ROLE task_app_attachments NOLOGIN';
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;

GRANT USAGE ON SCHEMA public TO task_app_attachments;

SET LOCAL ROLE task_app_owner;

CREATE TABLE attachments (
    tenant text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    task_id uuid NOT NULL,
    -- Its place among the task's attachments. The places are what there are at most, whoever adds
    -- at the same time; one that is deleted has none.
    place smallint,
    name text NOT NULL,
    content_type text COLLATE "C" NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    status text COLLATE "C" NOT NULL DEFAULT 'pending',
    reason text COLLATE "C",
    created_at timestamptz NOT NULL,
    -- When it was last uploaded, judged, or allowed to be uploaded.
    updated_at timestamptz NOT NULL,
    -- The object goes first, and then the row.
    deleted_at timestamptz,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, task_id, place),
    FOREIGN KEY (tenant, task_id) REFERENCES tasks (tenant, id),
    -- The limits of domain::limits; a test compares them.
    CONSTRAINT tenant_length CHECK (char_length(tenant) <= 63),
    CONSTRAINT place_known CHECK (place BETWEEN 1 AND 20),
    CONSTRAINT name_length CHECK (char_length(name) <= 200),
    CONSTRAINT content_type_length CHECK (char_length(content_type) <= 127),
    CONSTRAINT size_known CHECK (size_bytes BETWEEN 1 AND 104857600),
    CONSTRAINT sha256_length CHECK (octet_length(sha256) = 32),
    CONSTRAINT status_known CHECK (status IN ('pending', 'available', 'rejected')),
    CONSTRAINT reason_of_rejected CHECK ((reason IS NOT NULL) = (status = 'rejected')),
    CONSTRAINT place_until_deleted CHECK ((place IS NULL) = (deleted_at IS NOT NULL))
);

-- For the sweep: what it looks at, and nothing that stays.
CREATE INDEX attachments_unwanted ON attachments (updated_at)
WHERE deleted_at IS NOT NULL OR status <> 'available';

-- A task takes its attachments with it, in the same transaction and whoever deletes it. A trigger,
-- so that other writes of tasks pay nothing for it.
CREATE FUNCTION delete_attachments() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    UPDATE attachments SET place = NULL, deleted_at = NEW.deleted_at, updated_at = NEW.deleted_at
    WHERE tenant = NEW.tenant AND task_id = NEW.id AND deleted_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER delete_attachments AFTER UPDATE ON tasks FOR EACH ROW
WHEN (NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL)
EXECUTE FUNCTION delete_attachments();

GRANT SELECT ON attachments TO task_app_reader;
GRANT SELECT, INSERT, UPDATE (place, updated_at, deleted_at) ON attachments TO task_app_writer;
GRANT SELECT, DELETE, UPDATE (place, status, reason, updated_at, deleted_at)
ON attachments TO task_app_attachments;

ALTER TABLE attachments ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants_of_transaction ON attachments TO task_app_writer
USING (tenant = ANY ((SELECT string_to_array(current_setting('app.tenants', true), ','))::text[]));
CREATE POLICY tenant_of_statement ON attachments FOR SELECT TO task_app_reader USING (true);
-- The worker serves every tenant.
CREATE POLICY every_tenant ON attachments TO task_app_attachments USING (true);

RESET ROLE;
