//! The attributes of a dead letter: two of ours, and those of the sender that find no room beside them.

use std::collections::BTreeMap;

use aws_sdk_sqs::{primitives::Blob, types::MessageAttributeValue};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

/// The attribute that holds the reason's code.
pub(crate) const REASON: &str = "DeadLetterReason";
/// The attribute that holds everything else.
pub(crate) const DETAILS: &str = "DeadLetter";

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

pub(super) fn is_ours(name: &str) -> bool {
    [REASON, DETAILS].contains(&name)
}

/// Bytes that an attribute takes, as SQS counts them.
pub(crate) fn attribute_bytes((name, value): (&String, &MessageAttributeValue)) -> usize {
    let binary = value.binary_value().map_or(0, |value| value.as_ref().len());
    name.len() + value.data_type().len() + value.string_value().map_or(binary, str::len)
}
