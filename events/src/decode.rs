//! From a message body to a command, or to the precise reason why it is none.

use domain::json::{Fault, parse_object};
use domain::{Action, Actor, Command, TenantId};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::attributes::{EventId, Source};
use crate::command::CommandType;
use crate::error::{DecodeError, Reason};
use crate::event::CommandEnvelope;
use crate::foreign::foreign;
use crate::older::ChangeTagV1;
use crate::traceparent::traceparent;

/// The largest body, in bytes, that is read at all.
pub const MAX_BYTES: usize = 256 * 1024;

/// The largest data, in bytes, that is read if it travels apart from its event.
pub const MAX_DATA_BYTES: usize = 1024 * 1024;

/// A command with what identifies it and where it came from.
#[derive(Clone, Debug)]
pub struct CommandEvent {
    /// The event's identifier, unique within tenant and source.
    pub id: EventId,
    /// The producer.
    pub source: Source,
    /// The command.
    pub command: Command,
    /// The caller whose request it is, if it comes from the HTTP API. Of other producers it is ignored:
    /// who sends is their `source`.
    pub caller: Option<Actor>,
    /// The idempotency key that the caller chose, if `id` is another one, since another caller has an
    /// operation under that key.
    pub idempotency_key: Option<EventId>,
    /// The sender's trace context, if it sent a well-formed one.
    pub traceparent: Option<String>,
}

/// What identifies a command and where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CommandIdentity {
    /// The event's identifier, unique within tenant and source.
    pub id: EventId,
    /// The producer.
    pub source: Source,
    /// Whose task the command is about.
    pub tenant: TenantId,
}

/// Reads of a message body no more than the event's identity, whatever else is wrong with it.
///
/// # Errors
/// A [`DecodeError`] if it has none.
pub fn decode_identity(body: &str) -> Result<CommandIdentity, DecodeError> {
    parse_body(body)
}

/// Reads one message body.
///
/// # Errors
/// A [`DecodeError`] whose reason is the dead letter's.
pub fn decode(body: &str) -> Result<CommandEvent, DecodeError> {
    let event: CommandEnvelope<Option<&RawValue>> = parse_body(body)?;
    match event.data {
        Some(data) => command(event, data.get()),
        None if event.dataref.is_some() => Err(DecodeError::violation(
            "",
            "`data` is missing: there is `dataref`, but the message has no attribute `ClaimCheck`",
        )),
        None => Err(DecodeError::violation("", "missing field `data`")),
    }
}

/// Reads the body of a claim check: an event with `dataref` and without `data`, which was fetched.
///
/// # Errors
/// A [`DecodeError`] whose reason is the dead letter's.
pub fn decode_claimed(body: &str, data: &str) -> Result<CommandEvent, DecodeError> {
    if data.len() > MAX_DATA_BYTES {
        return Err(DecodeError::too_large("/data", data, MAX_DATA_BYTES));
    }
    let event: CommandEnvelope<Option<&RawValue>> = parse_body(body)?;
    if event.data.is_some() {
        let detail = "must be absent: the message's claim check says that it is elsewhere";
        return Err(DecodeError::violation("/data", detail));
    }
    if event.dataref.is_none() {
        return Err(DecodeError::violation("", "missing field `dataref`: the data was claimed"));
    }
    command(event, data)
}

fn command<D>(event: CommandEnvelope<D>, data: &str) -> Result<CommandEvent, DecodeError> {
    let kind = CommandType::parse(&event.r#type)
        .ok_or_else(|| DecodeError::unknown_type(&CommandType::ALL.map(CommandType::as_str)))?;
    let action = action(kind, data)?;
    let caller = event.actor.filter(|_| event.source.is_http());
    let is_key = |key: &EventId| {
        caller.as_ref().is_some_and(|caller| caller.own_key(key.as_str()) == event.id.as_str())
    };
    Ok(CommandEvent {
        idempotency_key: event.idempotencykey.filter(is_key),
        caller,
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
        return Err(DecodeError::too_large("", body, MAX_BYTES));
    }
    parse(body, "").map_err(|error| foreign(body).unwrap_or(error))
}

/// Reads the part of a body `at` this JSON Pointer.
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
