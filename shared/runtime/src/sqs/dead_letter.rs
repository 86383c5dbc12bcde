//! A message that failed for good, and what an operator needs to know about it.
//!
//! The copy has the original body, byte for byte, and the original attributes. To these come two of
//! ours: [`REASON`], by which a queue's readers can filter, and [`DETAILS`], a JSON object. SQS
//! allows ten attributes; the smallest of the originals that find no room travel inside the JSON, and
//! [`restore`] takes them out of it when such a message comes again, so that none is lost however
//! often it dies. A message near SQS's limit of size has room for less: see [`Extent`].

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::{error::BuildError, primitives::Blob, types::MessageAttributeValue};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::{Record, Reject, facts::Facts, record::attribute_bytes};

/// The attribute that holds the reason's code.
pub(crate) const REASON: &str = "DeadLetterReason";
/// The attribute that holds everything else.
pub(crate) const DETAILS: &str = "DeadLetter";

const MOST_ATTRIBUTES: usize = 10;
const MOST_DETAIL_BYTES: usize = 1_024;
/// Of a group or deduplication id, by SQS.
const MOST_ID_BYTES: usize = 128;
/// A reason, if a handler gave none: SQS takes no empty attribute.
const UNSPECIFIED: &str = "unspecified";

/// A message for the dead-letter queue.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    /// Its record's position in the batch.
    pub(crate) position: usize,
    pub(crate) body: String,
    pub(crate) attributes: HashMap<String, MessageAttributeValue>,
    pub(crate) group_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
    pub(crate) extent: Extent,
}

/// How much of what an operator needs a dead letter says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    Full,
    /// The reason, where it came from, and the attributes that found no room.
    Short,
    /// The reason's code.
    Code,
    /// No attribute of ours. The reason stands where it takes none of the message's size: before the
    /// deduplication id, or, in a standard queue, as the group id.
    Bare,
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
struct Attribute {
    #[serde(rename = "type")]
    data_type: String,
    value: String,
}

/// What a dead letter that comes again says of attributes that found no room.
#[derive(Deserialize)]
struct Spilled {
    #[serde(default)]
    attributes: BTreeMap<String, Attribute>,
}

impl Extent {
    fn smaller(self) -> Option<Self> {
        match self {
            Self::Full => Some(Self::Short),
            Self::Short => Some(Self::Code),
            Self::Code => Some(Self::Bare),
            Self::Bare => None,
        }
    }

    /// How many attributes of ours there are.
    fn of_ours(self) -> usize {
        match self {
            Self::Full | Self::Short => 2,
            Self::Code => 1,
            Self::Bare => 0,
        }
    }
}

impl DeadLetter {
    /// Packs a record that was rejected, as fully as `most` bytes allow.
    pub(crate) fn pack(
        position: usize,
        record: &Record,
        reject: &Reject,
        death: &Death<'_>,
        most: usize,
    ) -> Result<Self, BuildError> {
        let mut letter = Self::with(Extent::Full, position, record, reject, death)?;
        while letter.weight() > most {
            match letter.smaller(record, reject, death)? {
                Some(smaller) => letter = smaller,
                None => break,
            }
        }
        Ok(letter)
    }

    /// The same with less of ours, as long as it says less.
    pub(crate) fn smaller(
        &self,
        record: &Record,
        reject: &Reject,
        death: &Death<'_>,
    ) -> Result<Option<Self>, BuildError> {
        let originals = originals(record).count();
        let mut extent = self.extent.smaller();
        while let Some(next) = extent.filter(|next| *next == Extent::Code) {
            // Without details there is no place for an attribute that finds no room.
            if originals + next.of_ours() <= MOST_ATTRIBUTES {
                break;
            }
            extent = next.smaller();
        }
        extent.map(|extent| Self::with(extent, self.position, record, reject, death)).transpose()
    }

    fn with(
        extent: Extent,
        position: usize,
        record: &Record,
        reject: &Reject,
        death: &Death<'_>,
    ) -> Result<Self, BuildError> {
        let mut originals: Vec<_> = originals(record).collect();
        // The largest first: the others take the least room in JSON.
        originals.sort_by_key(|original| std::cmp::Reverse(attribute_bytes(*original)));
        let room = (MOST_ATTRIBUTES - extent.of_ours()).min(originals.len());
        let (kept, spilled) = originals.split_at_checked(room).unwrap_or_default();
        let mut attributes: HashMap<_, _> =
            kept.iter().map(|(name, value)| ((*name).clone(), (*value).clone())).collect();
        let code = code(reject);
        if extent != Extent::Bare {
            attributes.insert(REASON.to_owned(), text(&code)?);
        }
        if matches!(extent, Extent::Full | Extent::Short) {
            let detail = printable(&reject.detail);
            let details = Details::new(record, death, &code, &detail, spilled, extent);
            let details = serde_json::json!(details).to_string();
            attributes.insert(DETAILS.to_owned(), text(&replaced(&details))?);
        }
        let (group_id, deduplication_id) = ids(extent, record, &code, death.queue.rules.fifo);
        let body = record.body().to_owned();
        Ok(Self { position, body, attributes, group_id, deduplication_id, extent })
    }

    /// What SQS counts against its limits, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.body.len() + self.attributes.iter().map(attribute_bytes).sum::<usize>()
    }
}

impl<'a> Details<'a> {
    fn new(
        record: &'a Record,
        death: &'a Death<'_>,
        reason: &'a str,
        detail: &'a str,
        spilled: &[(&'a String, &'a MessageAttributeValue)],
        extent: Extent,
    ) -> Self {
        let full = extent == Extent::Full;
        let trace_id = record.sender().map(|sender| sender.trace_id().to_string());
        Self {
            reason,
            detail: full.then_some(detail),
            handler: full.then_some(death.handler),
            attempts: record.receive_count(),
            first_received_at: record.first_received_at().filter(|_| full).map(rfc3339),
            failed_at: full.then(|| rfc3339(death.at)),
            message_id: record.message_id(),
            trace_id: trace_id.filter(|_| full),
            queue: full.then_some(&death.queue.arn),
            group_id: record.group_id().filter(|_| full),
            attributes: spilled.iter().copied().map(spill).collect(),
        }
    }
}

/// Gives a message that died before the attributes back that found no room then.
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
    fn restored(self) -> Option<MessageAttributeValue> {
        let value = MessageAttributeValue::builder();
        let value = if self.data_type.starts_with("Binary") {
            value.binary_value(Blob::new(BASE64_STANDARD.decode(self.value).ok()?))
        } else {
            value.string_value(self.value)
        };
        value.data_type(self.data_type).build().ok()
    }
}

/// The sender's attributes. A replayed dead letter may come back with the marks of its first death.
fn originals(record: &Record) -> impl Iterator<Item = (&String, &MessageAttributeValue)> {
    record.attributes().iter().filter(|(name, _)| !is_ours(name))
}

fn is_ours(name: &str) -> bool {
    [REASON, DETAILS].contains(&name)
}

/// Group and deduplication id. A crash between the send and the delete repeats the send: it must
/// change nothing, so the same message always has the same deduplication id.
fn ids(
    extent: Extent,
    record: &Record,
    code: &str,
    fifo: bool,
) -> (Option<String>, Option<String>) {
    let bare = extent == Extent::Bare;
    if !fifo {
        return (bare.then(|| id(code)), None);
    }
    let message_id = record.message_id();
    let deduplication_id =
        if bare { id(&format!("{code}:{message_id}")) } else { message_id.to_owned() };
    (record.group_id().map(str::to_owned), Some(deduplication_id))
}

/// The end of what does not fit is what makes it unique.
fn id(text: &str) -> String {
    let text = text.replace(|character: char| !character.is_ascii_graphic(), "_");
    let start = text.len().saturating_sub(MOST_ID_BYTES);
    text.get(start..).unwrap_or_default().to_owned()
}

fn code(reject: &Reject) -> String {
    let code = printable(reject.reason);
    if code.trim().is_empty() { UNSPECIFIED.to_owned() } else { code }
}

fn text(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}

fn spill<'a>((name, value): (&'a String, &'a MessageAttributeValue)) -> (&'a str, Attribute) {
    let binary = || value.binary_value().map(|value| BASE64_STANDARD.encode(value));
    let text = value.string_value().map(str::to_owned).or_else(binary).unwrap_or_default();
    (name, Attribute { data_type: value.data_type().to_owned(), value: text })
}

/// Cuts a text, and takes out what SQS refuses.
fn printable(text: &str) -> String {
    let end = text.floor_char_boundary(MOST_DETAIL_BYTES);
    let kept = text.get(..end).unwrap_or_default();
    // JSON escapes control characters; a code is no JSON.
    replaced(kept)
}

/// SQS takes #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD and #x10000 to #x10FFFF.
fn replaced(text: &str) -> String {
    let refused = |character: char| {
        matches!(character, '\u{FFFE}' | '\u{FFFF}')
            || character < ' ' && !matches!(character, '\t' | '\n' | '\r')
    };
    text.replace(refused, "\u{FFFD}")
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

    fn letter(attributes: usize, detail: &str, fifo: bool) -> (DeadLetter, Value) {
        let queue = Facts {
            arn: "arn:aws:sqs:region:1:queue".to_owned(),
            rules: Rules { max_receive_count: 3, fifo },
            dead_letter_url: String::new(),
        };
        let at = DateTime::from_timestamp(1_700_000_001, 0).unwrap();
        let names = (0..attributes).map(|number| format!("attribute-{number:02}"));
        let record = Record::in_group("group", 2).with_attributes(names);
        let death = Death { queue: &queue, handler: "handler", at };
        let letter =
            DeadLetter::pack(0, &record, &Reject::new("malformed", detail), &death, usize::MAX)
                .unwrap();
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
        let value = value.binary_value(Blob::new([0_u8, 255])).build();
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
            prop_assert!(kept.len() <= 3 * MOST_DETAIL_BYTES);
            let refused = ['\u{FFFE}', '\u{FFFF}'];
            prop_assert!(!kept.contains(refused));
        }
    }
    fn facts() -> Facts {
        let rules = Rules { max_receive_count: 3, fifo: true };
        Facts { arn: String::new(), rules, dead_letter_url: String::new() }
    }

    fn pack(record: &Record, reject: &Reject, most: usize) -> DeadLetter {
        let facts = facts();
        let death = Death { queue: &facts, handler: "handler", at: DateTime::UNIX_EPOCH };
        DeadLetter::pack(0, record, reject, &death, most).unwrap()
    }

    /// The dead letter, replayed as it is.
    fn replayed(letter: DeadLetter) -> Record {
        let message = aws_sdk_sqs::types::Message::builder().message_id("again");
        let message = message.receipt_handle("handle").body(letter.body);
        message.set_message_attributes(Some(letter.attributes)).build().try_into().unwrap()
    }

    fn names(record: &Record) -> Vec<&String> {
        originals(record).map(|(name, _)| name).collect()
    }

    proptest! {
        #[test]
        fn no_attribute_is_lost_over_many_deaths(count in 0..=10_usize, deaths in 1..4) {
            let names_of = (0..count).map(|number| format!("attribute-{number:02}"));
            let first = Record::in_group("group", 2).with_attributes(names_of);
            let mut record = first.clone();
            for _ in 0..deaths {
                let letter = pack(&record, &Reject::new("malformed", ""), usize::MAX);
                prop_assert!(letter.attributes.len() <= MOST_ATTRIBUTES);
                record = replayed(letter);
            }
            prop_assert_eq!(names(&record), names(&first));
        }

        #[test]
        fn a_dead_letter_fits_and_says_its_reason(
            attributes in 0..=10_usize, left in 0..3_000_usize, detail in ".{0,500}",
        ) {
            let names_of = (0..attributes).map(|number| format!("attribute-{number:02}"));
            let record = Record::in_group("group", 2).with_attributes(names_of);
            let most = record.bytes() + left;
            let letter = pack(&record, &Reject::new("malformed", detail), most);
            prop_assert!(letter.weight() <= most || letter.extent == Extent::Bare);
            prop_assert!(letter.attributes.len() <= MOST_ATTRIBUTES);
            let id = letter.deduplication_id.clone().unwrap();
            let told = letter.attributes.get(REASON).and_then(|reason| reason.string_value());
            prop_assert!(told == Some("malformed") || id.starts_with("malformed:"));
            let restored = names(&replayed(letter)).len();
            prop_assert_eq!(restored, attributes);
        }

        #[test]
        fn sqs_takes_every_character(reason in "(.|[\u{0}-\u{1F}]|\u{FFFF}){0,40}") {
            let reason: &'static str = Box::leak(reason.into_boxed_str());
            let letter = pack(&Record::with_body("body"), &Reject::new(reason, reason), usize::MAX);
            for value in letter.attributes.values() {
                let value = value.string_value().unwrap();
                prop_assert!(!value.is_empty());
                prop_assert_eq!(&replaced(value), value);
            }
        }
    }

    #[test]
    fn a_binary_attribute_is_restored() {
        let value = MessageAttributeValue::builder().data_type("Binary.zip");
        let value = value.binary_value(Blob::new([0_u8, 255])).build().unwrap();
        let name = String::from("name");
        let (_, spilled) = spill((&name, &value));
        assert_eq!(spilled.restored(), Some(value));
    }
}
