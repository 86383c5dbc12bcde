//! From a message body to a command, or to the precise reason why it is none.

use std::fmt;

use domain::json::{Fault, parse_object};
use domain::{Action, Command};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::attributes::{EventId, Source};
use crate::command::CommandType;
use crate::event::Event;
use crate::traceparent::traceparent;

/// The largest body, in bytes, that is read at all.
pub const MAX_BYTES: usize = 256 * 1024;

/// A command with what identifies it and where it came from.
#[derive(Clone, Debug)]
pub struct CommandEvent {
    /// The event's identifier, unique within tenant and source.
    pub id: EventId,
    /// The producer.
    pub source: Source,
    /// What is asked.
    pub command: Command,
    /// The sender's trace context, if it sent a well-formed one.
    pub traceparent: Option<String>,
}

/// Why a body is not a command: a stable code, which also stands on the dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is larger than [`MAX_BYTES`].
    BodyTooLarge,
    /// It is not JSON.
    MalformedJson,
    /// Its `type` is none that this service knows.
    UnknownType,
    /// Its `tenant` cannot be a tenant's identifier.
    InvalidTenant,
    /// Something else in it breaks the schema of its type.
    SchemaViolation,
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
        }
    }
}

/// Why and where a body is not a command.
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

/// Reads one message body.
///
/// # Errors
/// A [`DecodeError`] whose reason is what the dead letter will say.
pub fn decode(body: &str) -> Result<CommandEvent, DecodeError> {
    if body.len() > MAX_BYTES {
        let detail = format!("{} bytes, at most {MAX_BYTES} are read", body.len());
        return Err(DecodeError { reason: Reason::BodyTooLarge, pointer: String::new(), detail });
    }
    let event: Event<&RawValue> = parse(body, "")?;
    let kind = CommandType::parse(&event.r#type).ok_or_else(|| DecodeError {
        reason: Reason::UnknownType,
        pointer: "/type".to_owned(),
        detail: format!("expected one of {}", CommandType::ALL.map(CommandType::as_str).join(", ")),
    })?;
    let action = action(kind, event.data.get())?;
    Ok(CommandEvent {
        id: event.id,
        source: event.source,
        command: Command { tenant: event.tenant, task: event.subject, action },
        traceparent: event.traceparent.filter(|text| traceparent(text).is_some()),
    })
}

fn action(kind: CommandType, data: &str) -> Result<Action, DecodeError> {
    Ok(match kind {
        CommandType::CreateTask => Action::Create(parse(data, "/data")?),
        CommandType::UpdateTask => Action::Update(parse(data, "/data")?),
        CommandType::CompleteTask => Action::Complete(parse(data, "/data")?),
        CommandType::DeleteTask => Action::Delete(parse(data, "/data")?),
    })
}

fn parse<'de, T: Deserialize<'de>>(json: &'de str, at: &str) -> Result<T, DecodeError> {
    parse_object(json.as_bytes()).map_err(|fault| match fault {
        Fault::Syntax { detail, line, column } => DecodeError {
            reason: Reason::MalformedJson,
            pointer: at.to_owned(),
            detail: format!("{detail} at line {line} column {column}"),
        },
        Fault::Data { pointer, detail } => {
            let pointer = format!("{at}{pointer}");
            let tenant = pointer == "/tenant";
            let reason = if tenant { Reason::InvalidTenant } else { Reason::SchemaViolation };
            DecodeError { reason, pointer, detail }
        }
    })
}
