//! The time of this machine.

use chrono::{DateTime, Utc};

/// The time of day.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}
