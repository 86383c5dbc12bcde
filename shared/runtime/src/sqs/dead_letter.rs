//! A message that failed for good, and what an operator needs to know about it.
//!
//! The copy has the original body, byte for byte, and the original attributes. To these come two of
//! ours: [`REASON`], by which a queue's readers can filter, and [`DETAILS`], a JSON object. SQS
//! allows ten attributes; originals that find no room travel inside the JSON.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::{error::BuildError, types::MessageAttributeValue};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::{Record, Reject, facts::Facts};

/// The attribute that holds the reason's code.
pub(crate) const REASON: &str = "DeadLetterReason";
/// The attribute that holds everything else.
pub(crate) const DETAILS: &str = "DeadLetter";

const MOST_ATTRIBUTES: usize = 10;
const MOST_DETAIL_BYTES: usize = 1_024;

/// A message for the dead-letter queue.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    /// Its record's position in the batch.
    pub(crate) position: usize,
    pub(crate) body: String,
    pub(crate) attributes: HashMap<String, MessageAttributeValue>,
    pub(crate) group_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
}

/// Where and when a batch's messages were rejected.
pub(crate) struct Death<'a> {
    pub(crate) queue: &'a Facts,
    pub(crate) handler: &'a str,
    pub(crate) at: DateTime<Utc>,
}

#[derive(Serialize)]
struct Details<'a> {
    reason: &'a str,
    detail: String,
    handler: &'a str,
    attempts: u32,
    first_received_at: Option<String>,
    failed_at: String,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    queue: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'a str, Attribute<'a>>,
}

/// An original attribute that found no room; a binary value is in Base64.
#[derive(Serialize)]
struct Attribute<'a> {
    #[serde(rename = "type")]
    data_type: &'a str,
    value: String,
}

impl Letter {
    /// Packs a record that was rejected.
    pub(crate) fn pack(
        position: usize,
        record: &Record,
        reject: &Reject,
        death: &Death<'_>,
    ) -> Result<Self, BuildError> {
        let originals = || record.attributes().iter().filter(|(name, _)| !is_ours(name));
        let room = MOST_ATTRIBUTES - 2;
        let details = Details {
            reason: reject.reason,
            detail: printable(&reject.detail),
            handler: death.handler,
            attempts: record.receive_count(),
            first_received_at: record.first_received_at().map(rfc3339),
            failed_at: rfc3339(death.at),
            message_id: record.message_id(),
            trace_id: record.sender().map(|sender| sender.trace_id().to_string()),
            queue: &death.queue.arn,
            group_id: record.group_id(),
            attributes: originals().skip(room).map(spill).collect(),
        };
        let details = serde_json::json!(details).to_string();
        let kept = originals().take(room).map(|(name, value)| (name.clone(), value.clone()));
        let ours = [(REASON, text(reject.reason)?), (DETAILS, text(&details)?)];
        let ours = ours.map(|(name, value)| (name.to_owned(), value));
        let fifo = death.queue.rules.fifo;
        Ok(Self {
            position,
            body: record.body().to_owned(),
            attributes: kept.chain(ours).collect(),
            group_id: record.group_id().filter(|_| fifo).map(str::to_owned),
            // A crash between this send and the delete repeats the send: it must change nothing.
            deduplication_id: fifo.then(|| record.message_id().to_owned()),
        })
    }

    /// What SQS counts against its limit on a batch, in bytes; the attributes roughly.
    pub(crate) fn weight(&self) -> usize {
        let attribute = |(name, value): (&String, &MessageAttributeValue)| {
            let binary = value.binary_value().map_or(0, |value| value.as_ref().len());
            name.len() + value.data_type().len() + value.string_value().map_or(binary, str::len)
        };
        self.body.len() + self.attributes.iter().map(attribute).sum::<usize>()
    }
}

/// A replayed dead letter may come back with the marks of its first death.
fn is_ours(name: &str) -> bool {
    [REASON, DETAILS].contains(&name)
}

fn text(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}

fn spill<'a>((name, value): (&'a String, &'a MessageAttributeValue)) -> (&'a str, Attribute<'a>) {
    let binary = || value.binary_value().map(|value| BASE64_STANDARD.encode(value));
    let text = value.string_value().map(str::to_owned).or_else(binary).unwrap_or_default();
    (name, Attribute { data_type: value.data_type(), value: text })
}

/// Cuts a detail, and takes out what SQS refuses in an attribute but JSON does not escape.
fn printable(detail: &str) -> String {
    let end = detail.floor_char_boundary(MOST_DETAIL_BYTES);
    let kept = detail.get(..end).unwrap_or_default();
    kept.replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}")
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::sqs::action::Rules;

    fn letter(attributes: usize, detail: &str, fifo: bool) -> (Letter, Value) {
        let queue = Facts {
            arn: "arn:aws:sqs:region:1:queue".to_owned(),
            rules: Rules { max_receive_count: 3, fifo },
            dead_letter_url: String::new(),
        };
        let at = DateTime::from_timestamp(1_700_000_001, 0).unwrap();
        let names = (0..attributes).map(|number| format!("attribute-{number:02}"));
        let record = Record::in_group("group", 2).with_attributes(names);
        let death = Death { queue: &queue, handler: "handler", at };
        let letter = Letter::pack(0, &record, &Reject::new("malformed", detail), &death).unwrap();
        let details = letter.attributes[DETAILS].string_value().unwrap();
        let details = serde_json::from_str(details).unwrap();
        (letter, details)
    }

    #[test]
    fn tells_what_an_operator_needs() {
        let (letter, details) = letter(1, "line 1", true);
        assert_eq!(letter.body, "body");
        assert_eq!(letter.attributes[REASON].string_value(), Some("malformed"));
        assert_eq!(letter.attributes["attribute-00"].string_value(), Some("value"));
        let expected = serde_json::json!({
            "reason": "malformed", "detail": "line 1", "handler": "handler", "attempts": 2,
            "first_received_at": "2023-11-14T22:13:20.123Z",
            "failed_at": "2023-11-14T22:13:21.000Z",
            "message_id": "message", "queue": "arn:aws:sqs:region:1:queue", "group_id": "group",
        });
        assert_eq!(details, expected);
    }

    #[test]
    fn keeps_the_group_and_names_the_duplicate_in_a_fifo_queue() {
        let fifo = letter(0, "", true).0;
        assert_eq!(fifo.group_id.as_deref(), Some("group"));
        assert_eq!(fifo.deduplication_id.as_deref(), Some("message"));
        let standard = letter(0, "", false).0;
        assert_eq!((standard.group_id, standard.deduplication_id), (None, None));
    }

    #[test]
    fn a_binary_attribute_without_room_travels_in_base64() {
        let value = MessageAttributeValue::builder().data_type("Binary");
        let value = value.binary_value(aws_sdk_sqs::primitives::Blob::new([0_u8, 255])).build();
        let (name, spilled) = (String::from("name"), value.unwrap());
        assert_eq!(spill((&name, &spilled)).1.value, "AP8=");
    }

    proptest! {
        #[test]
        fn no_attribute_is_lost_and_none_is_too_many(count in 0..=10_usize, detail in ".*") {
            let (letter, details) = letter(count, &detail, true);
            let spilled = details["attributes"].as_object().map_or(0, serde_json::Map::len);
            prop_assert!(letter.attributes.len() <= MOST_ATTRIBUTES);
            prop_assert_eq!(letter.attributes.len() + spilled, count + 2);
            prop_assert!(letter.weight() < 10_000);
        }

        #[test]
        fn a_detail_is_bounded_and_printable(detail in "(.|\u{FFFF}|\u{FFFE}){0,600}") {
            let kept = printable(&detail);
            prop_assert!(kept.len() <= MOST_DETAIL_BYTES);
            let refused = ['\u{FFFE}', '\u{FFFF}'];
            prop_assert!(!kept.contains(refused));
        }
    }
}
