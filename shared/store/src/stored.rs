//! JSON columns that may hold what this version cannot read.
//!
//! sqlx fails a whole answer when one value of it cannot be decoded. Here such a value is an error of
//! its own row, so that a batch, a list or another tenant goes on without it.

use std::borrow::Cow;
use std::fmt::Display;

use domain::json::{Fault, parse_object};
use serde::de::DeserializeOwned;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef, Postgres};
use sqlx::types::Json;
use sqlx::{Decode, Type};

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
        metrics::counter!("unreadable_rows_total", "table" => table).increment(1);
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
