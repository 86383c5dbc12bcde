-- Facts that a queue refuses hold back their task, and no more; and a fact gets an id of its own.

DO $$
BEGIN
    EXECUTE 'CREATE ROLE task_app_operator NOLOGIN';
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;

GRANT USAGE ON SCHEMA public TO task_app_operator;

SET LOCAL ROLE task_app_owner;

-- Rewrites the table, which holds no more than what waits to be published.
ALTER TABLE outbox
-- Never the sequence number: after a restore to an earlier time that would be given out again.
ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
-- Held back because its task is in outbox_blocked_tasks. Such facts are in no index that a poll reads.
ADD COLUMN blocked boolean NOT NULL DEFAULT false,
-- The queues that have taken a blocked fact already.
ADD COLUMN published_to text [] COLLATE "C" NOT NULL DEFAULT '{}';

DROP INDEX outbox_untold;
CREATE INDEX outbox_pending ON outbox (shard, seq) WHERE NOT sent AND NOT blocked;
CREATE INDEX outbox_blocked ON outbox (shard, tenant, task_id, seq) WHERE blocked;

-- The tasks whose next fact was refused. Later facts of such a task wait, in their order.
CREATE TABLE outbox_blocked_tasks (
    tenant text COLLATE "C" NOT NULL,
    task_id uuid NOT NULL,
    shard smallint NOT NULL
    GENERATED ALWAYS AS ((get_byte(uuid_send(task_id), 15) & 15)::smallint) STORED,
    -- The fact that was refused.
    seq bigint NOT NULL,
    fact_id uuid NOT NULL,
    type text COLLATE "C" NOT NULL,
    occurred_at timestamptz NOT NULL,
    -- The queue that refused it; none if it could not be read.
    queue text COLLATE "C",
    -- A code, such as InvalidMessageContents.
    reason text COLLATE "C" NOT NULL,
    -- How often it was refused through its own fault: outages do not count.
    attempts integer NOT NULL,
    first_failed_at timestamptz NOT NULL,
    last_failed_at timestamptz NOT NULL,
    retry_at timestamptz NOT NULL,
    -- Set when the attempts are used up: it waits for an operator.
    parked_at timestamptz,
    PRIMARY KEY (tenant, task_id)
);
CREATE INDEX outbox_blocked_tasks_due ON outbox_blocked_tasks (shard, retry_at)
WHERE parked_at IS NULL;
CREATE INDEX outbox_blocked_tasks_parked ON outbox_blocked_tasks (shard, parked_at)
WHERE parked_at IS NOT NULL;

-- The facts that an operator gave up. Without their data, which is personal.
CREATE TABLE outbox_skipped_facts (
    fact_id uuid PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    task_id uuid NOT NULL,
    type text COLLATE "C" NOT NULL,
    queue text COLLATE "C",
    reason text COLLATE "C" NOT NULL,
    attempts integer NOT NULL,
    first_failed_at timestamptz NOT NULL,
    parked_at timestamptz NOT NULL,
    skipped_at timestamptz NOT NULL DEFAULT now(),
    skipped_by text NOT NULL,
    -- The database user of whoever did it, whatever they called themselves.
    login text NOT NULL DEFAULT session_user,
    why text NOT NULL
);

GRANT UPDATE (blocked, published_to) ON outbox TO task_app_relay;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_blocked_tasks TO task_app_relay;
-- Whether it went back, as after a restore.
GRANT SELECT ON SEQUENCE outbox_seq_seq TO task_app_relay;

GRANT SELECT, DELETE ON outbox TO task_app_operator;
GRANT SELECT ON outbox_blocked_tasks TO task_app_operator;
GRANT UPDATE (attempts, first_failed_at, retry_at, parked_at)
ON outbox_blocked_tasks TO task_app_operator;
GRANT SELECT, INSERT ON outbox_skipped_facts TO task_app_operator;

-- An operator reads and removes nothing that is still being published.
CREATE POLICY blocked_facts ON outbox TO task_app_operator USING (blocked);

RESET ROLE;
