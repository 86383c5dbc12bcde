//! The metrics of authentication.

use instruments::{Instrument, Label};

pub(super) const FETCHES: Instrument =
    Instrument::counter("jwks_fetches_total", "Attempts to fetch the issuer's keys")
        .labelled(&[Label::of("result", &["ok", "failed"])]);
pub(super) const FETCHED: Instrument = Instrument::gauge(
    "jwks_fetched_timestamp_seconds",
    "When the issuer's keys in use were fetched, in seconds since 1970",
);

/// What an [`Authenticator`](super::Authenticator) measures.
pub const INSTRUMENTS: &[Instrument] = &[FETCHES, FETCHED];
