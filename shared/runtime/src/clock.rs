//! Time as a dependency, so that tests decide what it is.

use chrono::{DateTime, SecondsFormat, Utc};

/// The time of day.
///
/// Durations and deadlines are tokio's business (`tokio::time`, which tests pause); a `Clock` is
/// for the timestamps that are stored or shown.
pub trait Clock: Send + Sync + 'static {
    /// The current time.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A time as it is written: as `domain::time` has it, which this crate does not see.
#[expect(clippy::disallowed_methods, reason = "it writes the one form")]
pub(crate) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
