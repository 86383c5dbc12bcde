//! The metrics of the store.

use instruments::{Instrument, Label};

pub(crate) const CACHE_READS: Instrument =
    Instrument::counter("cache_reads_total", "Reads of tasks and pages, by where the answer was")
        .labelled(&[Label::of("source", &["local", "redis", "database"])]);
pub(crate) const UNREADABLE_ROWS: Instrument =
    Instrument::counter("unreadable_rows_total", "Rows that were met and cannot be read")
        .labelled(&[Label::of("table", &["tasks", "inbox", "attachments"])]);
pub(crate) const CONNECTIONS_IN_USE: Instrument =
    Instrument::gauge("database_connections_in_use", "Connections to PostgreSQL that are in use");
pub(crate) const MOST_CONNECTIONS: Instrument =
    Instrument::gauge("database_connections_max", "Connections to PostgreSQL, at most");
pub(crate) const ACQUIRE: Instrument =
    Instrument::histogram("database_acquire_seconds", "Wait for a connection to PostgreSQL");

/// What a [`Store`](crate::Store) measures, whatever it is used for.
pub const INSTRUMENTS: &[Instrument] =
    &[CACHE_READS, UNREADABLE_ROWS, CONNECTIONS_IN_USE, MOST_CONNECTIONS, ACQUIRE];

pub(crate) const LAG: Instrument = Instrument::gauge(
    "outbox_lag_seconds",
    "Age of the oldest fact still to be published, 0 if there is none; take the largest",
);
pub(crate) const UNSENT: Instrument = Instrument::gauge(
    "outbox_unsent",
    "Facts that some queue does not have, counted up to 200,000; add them up",
);
pub(crate) const BLOCKED: Instrument = Instrument::gauge(
    "outbox_blocked_tasks",
    "Tasks whose next fact was refused and is tried again; add them up",
);
pub(crate) const PARKED: Instrument =
    Instrument::gauge("outbox_parked_facts", "Facts that wait for an operator; add them up");

/// What [`Outbox::measure`](crate::Outbox::measure) sets, for the shards that a replica holds.
pub const OUTBOX_INSTRUMENTS: &[Instrument] = &[LAG, UNSENT, BLOCKED, PARKED];
