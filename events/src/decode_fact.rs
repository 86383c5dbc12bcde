//! From an event to the fact that it carries: for subscribers.

use domain::{Actor, Task, TaskId, TenantId, Timestamp};
use serde_json::value::RawValue;

use crate::attributes::EventId;
use crate::decode::{parse, parse_body};
use crate::error::DecodeError;
use crate::event::Event;
use crate::fact::{CommandRejected, FactType};
use crate::traceparent::traceparent;

/// A fact that was published.
#[derive(Clone, Debug)]
pub struct FactEvent {
    /// The event's identifier: the same when it is published again.
    pub id: EventId,
    /// When the command that led to it was applied.
    pub time: Timestamp,
    /// Whose task.
    pub tenant: TenantId,
    /// Which task.
    pub task: TaskId,
    /// The `type` attribute.
    pub kind: FactType,
    /// What happened.
    pub payload: FactPayload,
    /// Who sent the command that led to it, if that was recorded.
    pub actor: Option<Actor>,
    /// The trace context of the command that led to it.
    pub traceparent: Option<String>,
}

/// What a fact carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactPayload {
    /// A task, as the command left it.
    Task(Box<Task>),
    /// A command that was refused.
    Rejected(CommandRejected),
}

/// Reads one message body. Members of the data that are not known are ignored: facts may gain some
/// without a new version.
///
/// # Errors
/// A [`DecodeError`] when it is none of our facts.
pub fn decode_fact(body: &str) -> Result<FactEvent, DecodeError> {
    let event: Event<&RawValue> = parse_body(body)?;
    let kind = FactType::parse(&event.r#type)
        .ok_or_else(|| DecodeError::unknown_type(&FactType::ALL.map(FactType::as_str)))?;
    let data = event.data.get();
    let payload = match kind {
        FactType::Task(_) => FactPayload::Task(parse(data, "/data")?),
        FactType::CommandRejected => FactPayload::Rejected(parse(data, "/data")?),
    };
    Ok(FactEvent {
        id: event.id,
        time: event.time.into(),
        tenant: event.tenant,
        task: event.subject,
        kind,
        payload,
        actor: event.actor,
        traceparent: event.traceparent.filter(|text| traceparent(text).is_some()),
    })
}
