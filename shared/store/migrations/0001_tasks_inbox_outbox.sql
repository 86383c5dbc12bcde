-- Tasks, the inbox of processed commands and the outbox of facts, with the roles that may touch them.

-- Roles belong to the whole cluster: another database of it may have made them already, even at
-- this moment. Login users are made where the database is set up and are granted one of these.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['task_app_owner', 'task_app_writer', 'task_app_reader'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
    IF NOT pg_has_role(current_user, 'task_app_owner', 'MEMBER') THEN
        EXECUTE format('GRANT task_app_owner TO %I', current_user);
    END IF;
END
$$;

-- Before version 15, PostgreSQL lets everybody make tables there.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO task_app_owner;
GRANT USAGE ON SCHEMA public TO task_app_writer, task_app_reader;

SET LOCAL ROLE task_app_owner;

CREATE TABLE tasks (
    tenant text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    title text NOT NULL,
    description text,
    status text COLLATE "C" NOT NULL,
    priority text COLLATE "C" NOT NULL,
    assignee text COLLATE "C",
    due_date date,
    tags text[] COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    completed_at timestamptz,
    deleted_at timestamptz,
    PRIMARY KEY (tenant, id),
    -- The limits of domain::limits; a test compares them.
    CONSTRAINT tenant_length CHECK (char_length(tenant) <= 63),
    CONSTRAINT title_length CHECK (char_length(title) <= 200),
    CONSTRAINT description_length CHECK (char_length(description) <= 10000),
    CONSTRAINT assignee_length CHECK (char_length(assignee) <= 100),
    CONSTRAINT tags_count CHECK (cardinality(tags) <= 20),
    CONSTRAINT status_known CHECK (status IN ('open', 'completed')),
    CONSTRAINT priority_known CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    CONSTRAINT version_from_one CHECK (version >= 1)
);

-- The commands that were processed, each with its outcome: what makes their effect exactly once.
CREATE TABLE inbox (
    tenant text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    command_id text COLLATE "C" NOT NULL,
    task_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    outcome jsonb NOT NULL,
    processed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, source, command_id)
);

-- The facts to be told. A task's facts have rising `seq` because its row is locked meanwhile.
CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    task_id uuid NOT NULL,
    type text COLLATE "C" NOT NULL,
    data jsonb NOT NULL,
    traceparent text COLLATE "C",
    occurred_at timestamptz NOT NULL
);

GRANT SELECT ON tasks TO task_app_reader;
GRANT SELECT, INSERT, UPDATE ON tasks TO task_app_writer;
GRANT SELECT, INSERT ON inbox TO task_app_writer;
GRANT INSERT ON outbox TO task_app_writer;

-- The second wall between tenants, behind the tenant in every statement. A writer names the
-- tenants of its transaction in the message that begins it. A reader's statement is its whole
-- transaction: naming the tenant would cost it a round trip, so for readers there is no second wall.
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenants_of_transaction ON tasks TO task_app_writer
USING (tenant = ANY ((SELECT string_to_array(current_setting('app.tenants', true), ','))::text[]));
CREATE POLICY tenants_of_transaction ON inbox TO task_app_writer
USING (tenant = ANY ((SELECT string_to_array(current_setting('app.tenants', true), ','))::text[]));
CREATE POLICY tenants_of_transaction ON outbox TO task_app_writer
USING (tenant = ANY ((SELECT string_to_array(current_setting('app.tenants', true), ','))::text[]));
CREATE POLICY tenant_of_statement ON tasks FOR SELECT TO task_app_reader USING (true);

RESET ROLE;
