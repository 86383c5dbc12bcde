//! The metrics of the client.

use instruments::{Instrument, Label};

pub(crate) const ERRORS: Instrument =
    Instrument::counter("redis_errors_total", "Requests to Redis without an answer of use")
        .labelled(&[Label::of(
            "cause",
            &["replica", "loading", "denied", "cluster", "timeout", "connection", "other"],
        )]);
pub(crate) const OPEN_BREAKERS: Instrument = Instrument::gauge(
    "redis_circuit_breakers_open",
    "Circuit breakers that are open: one for a server, 16 for a cluster",
);

/// What a [`Redis`](crate::Redis) measures.
pub const INSTRUMENTS: &[Instrument] = &[ERRORS, OPEN_BREAKERS];
