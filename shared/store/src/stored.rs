//! JSON columns that may hold what this version cannot read.
//!
//! sqlx fails a whole answer when one value of it cannot be decoded. Here such a value is an error of
//! its own row, so that a batch, a list or another tenant goes on without it.

use std::borrow::Cow;
use std::fmt::Display;

use chrono::Datelike as _;
use domain::Timestamp;
use domain::json::{Fault, parse_object};
use serde::de::DeserializeOwned;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef, Postgres};
use sqlx::types::Json;
use sqlx::{Decode, Type};

use crate::instruments::UNREADABLE_ROWS;

/// A `jsonb` value, or why it cannot be read.
#[derive(Debug)]
pub(crate) struct Stored<T>(pub(crate) Result<T, Unreadable>);

/// Where a value cannot be read. Never the value itself, which may be personal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored value cannot be read at `{pointer}`")]
pub(crate) struct Unreadable {
    /// A JSON Pointer (RFC 6901), empty for the whole value; of a row, its column.
    pointer: Cow<'static, str>,
}

impl Unreadable {
    /// A column that cannot be read.
    pub(crate) const fn at(pointer: &'static str) -> Self {
        Self { pointer: Cow::Borrowed(pointer) }
    }

    fn of<T: DeserializeOwned>(json: &[u8]) -> Self {
        let pointer = match parse_object::<T>(json) {
            Err(Fault::Data { pointer, .. }) => pointer,
            Err(Fault::Syntax { .. }) | Ok(_) => String::new(),
        };
        Self { pointer: pointer.into() }
    }

    /// Counts the row, and logs which it is: `id` identifies it within `table`.
    pub(crate) fn report(&self, table: &'static str, id: impl Display) {
        metrics::counter!(UNREADABLE_ROWS.name, "table" => table).increment(1);
        tracing::error!(table, %id, error = %self, "a row cannot be read");
    }
}

impl From<Unreadable> for sqlx::Error {
    fn from(why: Unreadable) -> Self {
        Self::Decode(Box::new(why))
    }
}

impl<T> Type<Postgres> for Stored<T> {
    fn type_info() -> PgTypeInfo {
        <Json<T> as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <Json<T> as Type<Postgres>>::compatible(ty)
    }
}

impl<'r, T: DeserializeOwned> Decode<'r, Postgres> for Stored<T> {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        // Binary, `jsonb` begins with the version of its format.
        let bytes = value.as_bytes()?;
        let json = bytes.strip_prefix(&[1]).unwrap_or(bytes);
        Ok(Self(serde_json::from_slice(json).map_err(|_| Unreadable::of::<T>(json))))
    }
}

/// A value and how many bytes its JSON has in PostgreSQL, which writes a space here and there.
#[derive(Debug)]
pub(crate) struct Measured<T> {
    pub(crate) value: Stored<T>,
    pub(crate) bytes: usize,
}

impl<T> Type<Postgres> for Measured<T> {
    fn type_info() -> PgTypeInfo {
        Stored::<T>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        Stored::<T>::compatible(ty)
    }
}

impl<'r, T: DeserializeOwned> Decode<'r, Postgres> for Measured<T> {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let bytes = value.as_bytes()?.len();
        Ok(Self { value: Stored::decode(value)?, bytes })
    }
}

/// A time, or `None` for one that the contract does not allow: PostgreSQL knows later and earlier ones,
/// and `infinity`, at which sqlx's own type would panic.
#[derive(Clone, Debug)]
pub(crate) struct StoredTime(pub(crate) Option<Timestamp>);

impl From<StoredTime> for Option<Timestamp> {
    fn from(StoredTime(time): StoredTime) -> Self {
        time
    }
}

impl Type<Postgres> for StoredTime {
    fn type_info() -> PgTypeInfo {
        <Timestamp as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <Timestamp as Type<Postgres>>::compatible(ty)
    }
}

impl Decode<'_, Postgres> for StoredTime {
    /// Binary, it is the microseconds since the year 2000.
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        const YEAR_2000: i64 = 946_684_800_000_000;
        let micros = <i64 as Decode<Postgres>>::decode(value)?.checked_add(YEAR_2000);
        let time = micros.and_then(Timestamp::from_timestamp_micros);
        Ok(Self(time.filter(|time| (1..=9_999).contains(&time.year()))))
    }
}
