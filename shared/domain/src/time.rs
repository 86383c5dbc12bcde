//! A point in time as text: written one way everywhere, read as RFC 3339 has it.
//!
//! chrono writes as many digits as a time happens to have, and its `to_rfc3339` writes `+00:00` for
//! `Z`. So readers would meet several forms of one member, which neither sort as text nor compare.

use chrono::{DateTime, SecondsFormat, Timelike as _, Utc};
use serde::Serializer;

/// A point in time, UTC.
pub type Timestamp = DateTime<Utc>;

/// A point in time as it is written: in UTC, with `Z`, to the microsecond, which is what PostgreSQL
/// keeps.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "here is the one form")]
pub fn rfc3339(time: Timestamp) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// For serde's `serialize_with`: a [`Timestamp`], by [`rfc3339`].
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*time))
}

/// For serde's `serialize_with`: a [`Timestamp`] that may be absent.
///
/// # Errors
/// The serializer's.
pub fn serialize_option<S: Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serialize(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// Reads a point in time as RFC 3339 writes it, which is what JSON Schema's `date-time` takes.
///
/// The parser alone takes more: any character between date and time, U+2212 for a minus, and a leap
/// second in any minute.
#[must_use]
pub fn timestamp(text: &str) -> Option<Timestamp> {
    let separated = text.as_bytes().get(10).is_some_and(|byte| matches!(byte, b'T' | b't'));
    let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    let in_last_minute = (time.hour(), time.minute()) == (23, 59);
    let is_leap_second = time.nanosecond() >= 1_000_000_000;
    (separated && text.is_ascii() && (in_last_minute || !is_leap_second)).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_written_with_microseconds_and_z() {
        for (time, text) in [
            ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000000Z"),
            ("2026-01-31T10:30:00.25+01:00", "2026-01-31T09:30:00.250000Z"),
            ("2026-01-31T09:30:00.123456789Z", "2026-01-31T09:30:00.123456Z"),
        ] {
            assert_eq!(timestamp(time).map(rfc3339).as_deref(), Some(text));
        }
    }
}
