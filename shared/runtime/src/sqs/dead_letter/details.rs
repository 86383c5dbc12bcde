//! What a dead letter says in JSON, and the attributes that find room nowhere else.

use std::collections::BTreeMap;

use aws_sdk_sqs::{primitives::Blob, types::MessageAttributeValue};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::{DETAILS, Rejection, is_ours};
use crate::sqs::Delivery;

#[derive(Serialize)]
pub(super) struct Details<'a> {
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handler: Option<&'a str>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_received_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<String>,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'a str, Attribute>,
}

/// An original attribute that found no room; a binary value is in Base64.
#[derive(Serialize, Deserialize)]
pub(super) struct Attribute {
    #[serde(rename = "type")]
    data_type: String,
    pub(super) value: String,
}

/// What a dead letter that comes again says of attributes that found no room.
#[derive(Deserialize)]
struct Spilled {
    #[serde(default)]
    attributes: BTreeMap<String, Attribute>,
}

impl<'a> Details<'a> {
    /// Of a short one no more than a replay needs.
    pub(super) fn new(
        delivery: &'a Delivery,
        rejection: &'a Rejection<'_>,
        reason: &'a str,
        detail: &'a str,
        spilled: &[(&'a String, &'a MessageAttributeValue)],
        full: bool,
    ) -> Self {
        let trace_id = delivery.sender().map(|sender| sender.trace_id().to_string());
        Self {
            reason,
            detail: full.then_some(detail),
            handler: full.then_some(rejection.handler),
            attempts: delivery.attempt(),
            first_received_at: delivery.first_received_at().filter(|_| full).map(rfc3339),
            failed_at: full.then(|| rfc3339(rejection.at)),
            message_id: delivery.message_id(),
            trace_id: trace_id.filter(|_| full),
            queue: full.then_some(&rejection.queue.arn),
            group_id: delivery.group_id().filter(|_| full),
            attributes: spilled.iter().copied().map(spill).collect(),
        }
    }
}

/// Restores the attributes that found no room in an earlier dead letter of the message.
pub(crate) fn restore(attributes: &mut BTreeMap<String, MessageAttributeValue>) {
    let details = attributes.get(DETAILS).and_then(MessageAttributeValue::string_value);
    let spilled = details.and_then(|details| serde_json::from_str::<Spilled>(details).ok());
    for (name, attribute) in spilled.into_iter().flat_map(|spilled| spilled.attributes) {
        if let Some(value) = attribute.restored().filter(|_| !is_ours(&name)) {
            attributes.entry(name).or_insert(value);
        }
    }
}

impl Attribute {
    pub(super) fn restored(self) -> Option<MessageAttributeValue> {
        let value = MessageAttributeValue::builder();
        let value = if self.data_type.starts_with("Binary") {
            value.binary_value(Blob::new(BASE64_STANDARD.decode(self.value).ok()?))
        } else {
            value.string_value(self.value)
        };
        value.data_type(self.data_type).build().ok()
    }
}

pub(super) fn spill<'a>(
    (name, value): (&'a String, &'a MessageAttributeValue),
) -> (&'a str, Attribute) {
    let binary = || value.binary_value().map(|value| BASE64_STANDARD.encode(value));
    let text = value.string_value().map(str::to_owned).or_else(binary).unwrap_or_default();
    (name, Attribute { data_type: value.data_type().to_owned(), value: text })
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
