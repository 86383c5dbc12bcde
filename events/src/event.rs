//! The CloudEvents envelope.

use domain::json::name;
use domain::{Actor, TaskId, TenantId};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::attributes::{EventId, EventTime, Source, SpecVersion, Unset};
use crate::content_type::{AnyJson, JsonContent};

/// A CloudEvents 1.0 event in structured JSON.
///
/// Attributes that are not listed are extensions, which CloudEvents lets anyone add: they are
/// allowed and ignored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Event<D, T = EventTime, C = JsonContent> {
    /// The version of the CloudEvents specification.
    #[serde(deserialize_with = "name")]
    pub specversion: SpecVersion,
    /// Identifies the event within its tenant and source. A second event with the same tenant,
    /// source and id is a repeat: it gets the outcome of the first and changes nothing.
    pub id: EventId,
    /// The producer.
    pub source: Source,
    /// Which command or fact the event carries; decides the shape of `data`.
    pub r#type: String,
    /// The task that it is about. Producers choose it when they create the task.
    pub subject: TaskId,
    /// When the event was made.
    pub time: T,
    /// The format of `data`.
    pub datacontenttype: C,
    /// Extension: whose task it is.
    pub tenant: TenantId,
    /// Extension: who changed the task, or tried to. The identifier of a caller of the API as its issuer has
    /// it, or the `source` of a producer's command. Older facts have none.
    #[serde(default, deserialize_with = "valid_or_none", skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Extension: the idempotency key of a caller of the API, if `id` is another one, since another caller has
    /// an operation under that key.
    #[serde(default, deserialize_with = "valid_or_none", skip_serializing_if = "Option::is_none")]
    pub idempotencykey: Option<EventId>,
    /// Extension (Distributed Tracing): the sender's trace context, as in W3C Trace Context. One
    /// that is not well-formed is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Extension (Dataref): where `data` is, such as `s3://bucket/key`, if the event travels without
    /// it. The consumer does not follow it: it follows the message's claim check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataref: Option<String>,
    /// What `CloudEvents` has for data that is not JSON. Must be absent, or `null`.
    #[serde(default, skip_serializing)]
    pub data_base64: Unset,
    /// What the type says.
    pub data: D,
}

/// Producers may have an extension of this name and mean something else by it: then there is none.
fn valid_or_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<String>,
{
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text.try_into().ok()),
        _ => Ok(None),
    }
}

/// A command's event, as producers may write it: `CloudEvents` lets them leave out when it was made and
/// that its data is JSON, and write the latter in many ways.
pub(crate) type CommandEnvelope<D> = Event<D, Option<EventTime>, Option<AnyJson>>;
