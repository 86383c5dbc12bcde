//! Why a body is not an event of ours.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::attributes::Source;

/// Why a body is not an event of ours: a stable code, which the dead letter has too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is larger than [`MAX_BYTES`](crate::MAX_BYTES), or data that travels apart than
    /// [`MAX_DATA_BYTES`](crate::MAX_DATA_BYTES).
    BodyTooLarge,
    /// It is not JSON.
    MalformedJson,
    /// Its `type` is none that this service knows.
    UnknownType,
    /// Its `tenant` cannot be a tenant's identifier.
    InvalidTenant,
    /// Something else in it breaks the schema of its type.
    SchemaViolation,
    /// It is an envelope of somebody else, such as Amazon SNS.
    ForeignEnvelope,
    /// Its `source` is one of this service's own, under which no producer may send.
    SourceReserved,
}

impl Reason {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body_too_large",
            Self::MalformedJson => "malformed_json",
            Self::UnknownType => "unknown_type",
            Self::InvalidTenant => "invalid_tenant",
            Self::SchemaViolation => "schema_violation",
            Self::ForeignEnvelope => "foreign_envelope",
            Self::SourceReserved => "source_reserved",
        }
    }
}

/// Why and where a body is not an event of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct DecodeError {
    /// The stable code.
    pub reason: Reason,
    /// Where, as a JSON Pointer (RFC 6901); empty for the whole body.
    pub pointer: String,
    /// What was expected there.
    pub detail: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason.code())?;
        if !self.pointer.is_empty() {
            write!(f, " at {}", self.pointer)?;
        }
        write!(f, ": {}", self.detail)
    }
}

impl DecodeError {
    /// Of an event whose source [is reserved](crate::Source::is_reserved). [`decode`](crate::decode)
    /// takes one, since this service itself sends through a queue: who reads for a producer, or from
    /// a queue of producers, refuses it by this.
    #[must_use]
    pub fn source_reserved() -> Self {
        Self {
            reason: Reason::SourceReserved,
            pointer: "/source".to_owned(),
            detail: format!("sources that begin with `{}` are the service's own", Source::RESERVED),
        }
    }

    pub(crate) fn too_large(pointer: &str, text: &str, most: usize) -> Self {
        let detail = format!("{} bytes, at most {most} are read", text.len());
        Self { reason: Reason::BodyTooLarge, pointer: pointer.to_owned(), detail }
    }

    pub(crate) fn violation(pointer: &str, detail: &str) -> Self {
        let (pointer, detail) = (pointer.to_owned(), detail.to_owned());
        Self { reason: Reason::SchemaViolation, pointer, detail }
    }

    pub(crate) fn unknown_type(known: &[&str]) -> Self {
        Self {
            reason: Reason::UnknownType,
            pointer: "/type".to_owned(),
            detail: format!("expected one of {}", known.join(", ")),
        }
    }
}
