//! Identifiers, versions and points in time.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, NaiveDate};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How often a task was changed: 1 when it is created, one more with each change.
pub type Version = i64;

/// Why a value was refused: what it is, and the rule that it breaks. Never holds the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {rule} (at most {max} {unit})")]
pub struct Invalid {
    what: &'static str,
    rule: &'static str,
    max: usize,
    unit: &'static str,
}

impl Invalid {
    pub(crate) fn text(what: &'static str, rule: &'static str, max: usize) -> Self {
        Self { what, rule, max, unit: "characters" }
    }

    pub(crate) fn set(what: &'static str, rule: &'static str, max: usize) -> Self {
        Self { what, rule, max, unit: "items" }
    }

    pub(crate) fn size(what: &'static str, rule: &'static str, max: u32) -> Self {
        Self { what, rule, max: usize::try_from(max).unwrap_or(usize::MAX), unit: "bytes" }
    }
}

/// Length of a UUID in its canonical form.
pub(crate) const UUID_LENGTH: usize = 36;

/// Reads a UUID in its canonical form, in lower case.
pub(crate) fn canonical_uuid(text: &str) -> Option<Uuid> {
    let canonical = text.len() == UUID_LENGTH && !text.bytes().any(|b| b.is_ascii_uppercase());
    canonical.then(|| Uuid::try_parse(text).ok()).flatten()
}

/// A task's identifier: a UUID of version 7 (RFC 9562), chosen by whoever creates the task, so
/// that every command, the first one too, can name its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct TaskId(Uuid);

impl TaskId {
    const RULE: &str = "a UUID of version 7 in lower case";

    /// The identifier as a UUID.
    #[must_use]
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl TryFrom<Uuid> for TaskId {
    type Error = Invalid;

    fn try_from(uuid: Uuid) -> Result<Self, Invalid> {
        if uuid.get_version_num() == 7 && uuid.get_variant() == uuid::Variant::RFC4122 {
            Ok(Self(uuid))
        } else {
            Err(Invalid::text("TaskId", Self::RULE, UUID_LENGTH))
        }
    }
}

impl FromStr for TaskId {
    type Err = Invalid;

    /// Takes the canonical form only: two spellings of one task must not be two message groups.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        canonical_uuid(text).and_then(|uuid| Self::try_from(uuid).ok()).ok_or(Invalid::text(
            "TaskId",
            Self::RULE,
            UUID_LENGTH,
        ))
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

crate::parsed!(TaskId, {
    "type": "string",
    "description": "A task's identifier: a UUID of version 7 (RFC 9562) in lower case.",
    "examples": ["01940000-0000-7000-8000-000000000001"],
    "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
});

/// The day by which a task is to be done: `YYYY-MM-DD`, without a time zone, from 0001-01-01 to
/// 9999-12-31. Those are the days that RFC 3339, JSON Schema and PostgreSQL all write alike: in the
/// year 0 PostgreSQL writes `BC`, and from 10000 on years have five digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct DueDate(NaiveDate);

impl DueDate {
    const LENGTH: usize = 10;
    const RULE: &str = "a date as YYYY-MM-DD, from 0001-01-01 to 9999-12-31";

    /// The day as a calendar date.
    #[must_use]
    pub fn as_date(self) -> NaiveDate {
        self.0
    }
}

impl TryFrom<NaiveDate> for DueDate {
    type Error = Invalid;

    fn try_from(date: NaiveDate) -> Result<Self, Invalid> {
        let in_range = (1..=9999).contains(&date.year());
        in_range.then_some(Self(date)).ok_or(Invalid::text("DueDate", Self::RULE, Self::LENGTH))
    }
}

impl FromStr for DueDate {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let shaped = text.len() == Self::LENGTH
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let date = shaped.then(|| text.parse::<NaiveDate>().ok()).flatten();
        date.ok_or(Invalid::text("DueDate", Self::RULE, Self::LENGTH))?.try_into()
    }
}

crate::parsed!(DueDate, {
    "type": "string",
    "format": "date",
    // Without the year 0, as an alternative for each leading digit: not every validator has
    // lookahead.
    "pattern": "^([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}$",
    "description":
        "A day as YYYY-MM-DD, without a time zone, from 0001-01-01 to 9999-12-31.",
    "examples": ["2026-02-01"],
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_id_is_a_lower_case_uuid_of_version_7() {
        assert!(TaskId::from_str("0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10").is_ok());
        for bad in [
            "0192F1A0-7C3E-7B44-9A53-3A1D0D4F5E10",
            "0192f1a0-7c3e-4b44-9a53-3a1d0d4f5e10",
            "0192f1a0-7c3e-7b44-1a53-3a1d0d4f5e10",
            "0192f1a07c3e7b449a533a1d0d4f5e10",
            "",
        ] {
            assert!(TaskId::from_str(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_due_date_is_a_real_day_in_full() {
        for good in ["2028-02-29", "0001-01-01", "9999-12-31"] {
            assert!(DueDate::from_str(good).is_ok(), "{good}");
        }
        for bad in ["0000-01-01", "0000-12-31", "-001-01-01", "10000-01-01"] {
            assert!(DueDate::from_str(bad).is_err(), "{bad}");
        }
        for bad in ["2027-02-29", "2026-1-1", "20260101", "+2026-1-01", "2026-12-24T00:00:00Z"] {
            assert!(DueDate::from_str(bad).is_err(), "{bad}");
        }
    }
}
