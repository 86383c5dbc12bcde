//! The time of this machine.

use chrono::{DateTime, Utc};

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
