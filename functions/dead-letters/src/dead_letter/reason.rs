//! Why a message is a dead letter, as far as `runtime` wrote it down.
//!
//! A dead letter without room for an attribute has its reason before the deduplication id, or, in a
//! standard queue, as its group id. Others use these ids for other things. So they are read only if our
//! attribute would not have fitted.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use messages::{Attribute, REASON};
use uuid::Uuid;

use super::details::Details;
use super::system;

/// Attributes of a message: the most that SQS allows.
const MOST_ATTRIBUTES: usize = 10;
const DATA_TYPE: &str = "String";

pub(super) fn reason(
    message: &Message,
    attributes: &BTreeMap<String, Attribute>,
    details: &Details,
    most_bytes: usize,
) -> Option<String> {
    let attribute = attributes.get(REASON).and_then(Attribute::text).map(str::to_owned);
    attribute.or_else(|| details.reason.clone()).or_else(|| {
        let code = in_an_id(message)?;
        let cost = REASON.len() + DATA_TYPE.len() + code.len();
        let is_full = attributes.len() == MOST_ATTRIBUTES
            || bytes(message, attributes).saturating_add(cost) > most_bytes;
        is_full.then(|| code.to_owned())
    })
}

fn in_an_id(message: &Message) -> Option<&str> {
    if system(message, &System::DeadLetterQueueSourceArn).is_some() {
        return None;
    }
    match system(message, &System::MessageDeduplicationId) {
        Some(id) => {
            let (code, message_id) = id.rsplit_once(':')?;
            Uuid::try_parse(message_id).is_ok().then_some(code)
        }
        None => system(message, &System::MessageGroupId),
    }
}

/// What SQS counts against the size of a message.
fn bytes(message: &Message, attributes: &BTreeMap<String, Attribute>) -> usize {
    let of_attribute = |(name, attribute): (&String, &Attribute)| {
        name.len() + attribute.data_type.len() + attribute.value.len()
    };
    let body = message.body.as_ref().map_or(0, String::len);
    body + attributes.iter().map(of_attribute).sum::<usize>()
}
