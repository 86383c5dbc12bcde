//! From a message body to a command, or to the precise reason why it is none.

use domain::json::{Fault, parse_object};
use domain::{Action, Command};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::attributes::{EventId, Source};
use crate::command::CommandType;
use crate::error::{DecodeError, Reason};
use crate::event::Event;
use crate::older::ChangeTagV1;
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

/// Reads one message body.
///
/// # Errors
/// A [`DecodeError`] whose reason is what the dead letter will say.
pub fn decode(body: &str) -> Result<CommandEvent, DecodeError> {
    let event: Event<&RawValue> = parse_body(body)?;
    let kind = CommandType::parse(&event.r#type)
        .ok_or_else(|| DecodeError::unknown_type(&CommandType::ALL.map(CommandType::as_str)))?;
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
        CommandType::AssignTask => Action::Assign(parse(data, "/data")?),
        CommandType::CompleteTask => Action::Complete(parse(data, "/data")?),
        CommandType::ReopenTask => Action::Reopen(parse(data, "/data")?),
        CommandType::CancelTask => Action::Cancel(parse(data, "/data")?),
        CommandType::DeleteTask => Action::Delete(parse(data, "/data")?),
        CommandType::AddTagV1 => Action::Tag(parse::<ChangeTagV1>(data, "/data")?.into()),
        CommandType::AddTag => Action::Tag(parse(data, "/data")?),
        CommandType::RemoveTagV1 => Action::Untag(parse::<ChangeTagV1>(data, "/data")?.into()),
        CommandType::RemoveTag => Action::Untag(parse(data, "/data")?),
    })
}

/// Reads a whole body, unless it is too large to be looked at.
pub(crate) fn parse_body<'de, T: Deserialize<'de>>(body: &'de str) -> Result<T, DecodeError> {
    if body.len() > MAX_BYTES {
        let detail = format!("{} bytes, at most {MAX_BYTES} are read", body.len());
        return Err(DecodeError { reason: Reason::BodyTooLarge, pointer: String::new(), detail });
    }
    parse(body, "")
}

/// Reads a part of a body, which stands `at` this JSON Pointer.
pub(crate) fn parse<'de, T: Deserialize<'de>>(json: &'de str, at: &str) -> Result<T, DecodeError> {
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
