//! The attributes of a dead letter: two of ours, and those of the sender that find no room beside them.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::MessageAttributeValue;
use messages::{Attribute, DETAILS, REASON};
use serde::Deserialize;

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

pub(super) fn is_ours(name: &str) -> bool {
    [REASON, DETAILS].contains(&name)
}

/// Bytes that an attribute takes, as SQS counts them.
pub(crate) fn attribute_bytes((name, value): (&String, &MessageAttributeValue)) -> usize {
    let binary = value.binary_value().map_or(0, |value| value.as_ref().len());
    name.len() + value.data_type().len() + value.string_value().map_or(binary, str::len)
}
