//! From a fact in the store to the event that carries it.

use std::fmt;

use domain::{Actor, TaskId, TenantId, Timestamp};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::attributes::{EventId, EventTime, Source, SpecVersion, Unset};
use crate::content_type::JsonContent;
use crate::event::Event;
use crate::queue_text::queue_text;

/// A fact as it was recorded, with all that its event says.
#[derive(Clone)]
pub struct FactRecord {
    /// What it is known by, for ever and everywhere.
    pub id: Uuid,
    /// Whose task.
    pub tenant: TenantId,
    /// Which task.
    pub task: TaskId,
    /// The `type` attribute.
    pub kind: String,
    /// What the type says, as JSON.
    pub data: Box<RawValue>,
    /// Who sent the command that led to it, if that was recorded.
    pub actor: Option<Actor>,
    /// The trace context of the command that led to it.
    pub traceparent: Option<String>,
    /// When the command was applied.
    pub occurred_at: Timestamp,
}

/// Without the data, which is personal.
impl fmt::Debug for FactRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, kind, .. } = self;
        f.debug_struct("FactRecord").field("id", id).field("kind", kind).finish_non_exhaustive()
    }
}

/// The event that carries `record`. Published again, it has the same id and the same bytes.
///
/// # Errors
/// None in practice: its members are all JSON.
pub fn encode_fact(record: &FactRecord) -> serde_json::Result<String> {
    let event = serde_json::to_string(&Event {
        specversion: SpecVersion::V1,
        id: EventId::of_fact(record.id),
        source: Source::service(),
        r#type: record.kind.clone(),
        subject: record.task,
        time: EventTime::from(record.occurred_at),
        datacontenttype: JsonContent::Json,
        tenant: record.tenant.clone(),
        actor: record.actor.clone(),
        idempotencykey: None,
        traceparent: record.traceparent.clone(),
        dataref: None,
        data_base64: Unset,
        data: &record.data,
    })?;
    Ok(queue_text(event.into()).into_owned())
}
