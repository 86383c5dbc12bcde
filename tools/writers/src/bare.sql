-- The least that keeps the same.
CREATE SCHEMA IF NOT EXISTS bare;
CREATE TABLE IF NOT EXISTS bare.tasks (
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
    PRIMARY KEY (tenant, id)
);
CREATE INDEX IF NOT EXISTS tasks_by_created ON bare.tasks (tenant, status, created_at, id);
CREATE INDEX IF NOT EXISTS tasks_by_due ON bare.tasks (tenant, status, due_date, id);
CREATE TABLE IF NOT EXISTS bare.inbox (
    command_id uuid PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    task_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    outcome text NOT NULL,
    processed_at timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS bare.outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    task_id uuid NOT NULL,
    type text COLLATE "C" NOT NULL,
    data text NOT NULL,
    actor text COLLATE "C",
    occurred_at timestamptz NOT NULL
);
