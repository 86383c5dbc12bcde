//! The metrics of the limits.

use instruments::{Instrument, Label};

pub(crate) const LIMITED: Instrument =
    Instrument::counter("rate_limited_total", "Requests beyond a limit").labelled(&[
        Label::of("class", &["read", "list", "write", "bulk"]),
        Label::of("limit", &["tenant", "caller"]),
    ]);
pub(crate) const ERRORS: Instrument = Instrument::counter(
    "rate_limit_errors_total",
    "Requests that were not counted, and let through, because Redis is unavailable",
);

/// What [`RateLimits`](crate::RateLimits) measure.
pub const INSTRUMENTS: &[Instrument] = &[LIMITED, ERRORS];
