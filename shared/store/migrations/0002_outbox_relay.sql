-- The relay: which of its replicas tells which facts, and what it may touch.

DO $$
BEGIN
    EXECUTE 'CREATE ROLE task_app_relay NOLOGIN';
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;

GRANT USAGE ON SCHEMA public TO task_app_relay;

SET LOCAL ROLE task_app_owner;

-- A task's facts are in one shard. The last bits of a UUIDv7 are random: they need no hash.
ALTER TABLE outbox
ADD COLUMN shard smallint NOT NULL
GENERATED ALWAYS AS ((get_byte(uuid_send(task_id), 15) & 15)::smallint) STORED,
-- Told to every queue, and kept only until the cache has been set right.
ADD COLUMN sent boolean NOT NULL DEFAULT false;

CREATE INDEX outbox_untold ON outbox (shard, seq) WHERE NOT sent;
CREATE INDEX outbox_uncached ON outbox (shard, seq) WHERE sent;
-- For the purge. A block range index would cost less at first, but each range that is purged and
-- filled anew keeps its oldest time, until every purge reads the whole table.
CREATE INDEX inbox_processed_at ON inbox (processed_at);

-- The replicas. One that sleeps wants to be notified of new facts.
CREATE TABLE outbox_relays (
    id uuid PRIMARY KEY,
    seen_until timestamptz NOT NULL,
    sleeping boolean NOT NULL DEFAULT false
);

-- Who alone may tell the facts of a shard, and until when.
CREATE TABLE outbox_shards (
    shard smallint PRIMARY KEY,
    holder uuid,
    leased_until timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO outbox_shards (shard) SELECT generate_series(0, 15);

GRANT SELECT ON tasks TO task_app_relay;
GRANT SELECT, DELETE ON inbox TO task_app_relay;
GRANT SELECT, DELETE, UPDATE (sent) ON outbox TO task_app_relay;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox_relays TO task_app_relay;
GRANT SELECT, UPDATE (holder, leased_until) ON outbox_shards TO task_app_relay;
-- A writer notifies only if somebody sleeps.
GRANT SELECT (sleeping, seen_until) ON outbox_relays TO task_app_writer;

-- The relay serves every tenant.
CREATE POLICY every_tenant ON tasks FOR SELECT TO task_app_relay USING (true);
CREATE POLICY every_tenant ON inbox TO task_app_relay USING (true);
CREATE POLICY every_tenant ON outbox TO task_app_relay USING (true);

RESET ROLE;
