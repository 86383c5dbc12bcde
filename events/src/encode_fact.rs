//! From a fact in the store to the event that carries it.

use domain::{TaskId, TenantId, Timestamp};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::attributes::{EventId, JsonContent, Source, SpecVersion};
use crate::event::Event;
use crate::queue_text::queue_text;

/// A pending fact, as the store keeps it.
#[derive(Clone, Debug)]
pub struct FactRecord<'a> {
    /// What it is known by, for ever and everywhere.
    pub id: Uuid,
    /// Whose task.
    pub tenant: TenantId,
    /// Which task.
    pub task: TaskId,
    /// The `type` attribute.
    pub kind: &'a str,
    /// What the type says, as JSON.
    pub data: &'a RawValue,
    /// The trace context of the command that led to it.
    pub traceparent: Option<&'a str>,
    /// When the command was applied.
    pub occurred_at: Timestamp,
}

/// The event that carries `record`. Published again, it has the same id and the same bytes.
///
/// # Errors
/// None in practice: its members are all JSON.
pub fn encode_fact(record: &FactRecord<'_>) -> serde_json::Result<String> {
    let event = serde_json::to_string(&Event {
        specversion: SpecVersion::V1,
        id: EventId::of_fact(record.id),
        source: Source::service(),
        r#type: record.kind.to_owned(),
        subject: record.task,
        time: record.occurred_at.into(),
        datacontenttype: JsonContent::Json,
        tenant: record.tenant.clone(),
        traceparent: record.traceparent.map(str::to_owned),
        dataref: None,
        data: record.data,
    })?;
    Ok(queue_text(event.into()).into_owned())
}
