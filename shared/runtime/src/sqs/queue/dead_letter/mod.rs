//! A message that failed for good, and what an operator needs to know about it.
//!
//! The copy has the original body, byte for byte, and the original attributes. To these come two of
//! ours: [`REASON`], by which a queue's readers can filter, and [`DETAILS`], a JSON object. SQS
//! allows ten attributes; the smallest of the originals that find no room travel inside the JSON, and
//! [`restore`] takes them out of it when such a message comes again, so that none is lost however
//! often it is dead-lettered. A message near SQS's limit of size has room for less: see [`Extent`].

pub(crate) mod attributes;
mod details;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use aws_sdk_sqs::{error::BuildError, types::MessageAttributeValue};
use messages::{DETAILS, REASON};

use crate::sqs::{
    Delivery, Reject,
    queue::dead_letter::attributes::{attribute_bytes, is_ours},
};
use details::Details;
pub(crate) use details::Rejection;

const MOST_ATTRIBUTES: usize = 10;
const MOST_DETAIL_BYTES: usize = 1_024;
/// Of a group or deduplication id, by SQS.
const MOST_ID_BYTES: usize = 128;
/// A reason, if a handler gave none: SQS takes no empty attribute.
const UNSPECIFIED: &str = "unspecified";

/// A message for the dead-letter queue.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    /// Its delivery's position in the batch.
    pub(crate) position: usize,
    pub(crate) body: String,
    pub(crate) attributes: HashMap<String, MessageAttributeValue>,
    pub(crate) group_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
    pub(crate) extent: Extent,
}

/// How much a dead letter says.
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
    /// Packs a delivery that was rejected, as fully as `most` bytes allow.
    pub(crate) fn pack(
        position: usize,
        delivery: &Delivery,
        reject: &Reject,
        rejection: &Rejection<'_>,
        most: usize,
    ) -> Result<Self, BuildError> {
        let mut dead_letter = Self::with(Extent::Full, position, delivery, reject, rejection)?;
        while dead_letter.weight() > most {
            match dead_letter.smaller(delivery, reject, rejection)? {
                Some(smaller) => dead_letter = smaller,
                None => break,
            }
        }
        Ok(dead_letter)
    }

    /// The same with less of ours, as long as it says less.
    pub(crate) fn smaller(
        &self,
        delivery: &Delivery,
        reject: &Reject,
        rejection: &Rejection<'_>,
    ) -> Result<Option<Self>, BuildError> {
        let originals = originals(delivery).count();
        let mut extent = self.extent.smaller();
        while let Some(next) = extent.filter(|next| *next == Extent::Code) {
            // Without details there is no place for an attribute that finds no room.
            if originals + next.of_ours() <= MOST_ATTRIBUTES {
                break;
            }
            extent = next.smaller();
        }
        extent
            .map(|extent| Self::with(extent, self.position, delivery, reject, rejection))
            .transpose()
    }

    fn with(
        extent: Extent,
        position: usize,
        delivery: &Delivery,
        reject: &Reject,
        rejection: &Rejection<'_>,
    ) -> Result<Self, BuildError> {
        let mut originals: Vec<_> = originals(delivery).collect();
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
            let details =
                Details::new(delivery, rejection, &code, &detail, spilled, extent == Extent::Full);
            let details = serde_json::json!(details).to_string();
            attributes.insert(DETAILS.to_owned(), text(&replaced(&details))?);
        }
        let (group_id, deduplication_id) = ids(extent, delivery, &code, rejection.queue.rules.fifo);
        let body = delivery.body().to_owned();
        Ok(Self { position, body, attributes, group_id, deduplication_id, extent })
    }

    /// What SQS counts against its limits, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.body.len() + self.attributes.iter().map(attribute_bytes).sum::<usize>()
    }
}

/// The sender's attributes. A replayed dead letter may come back with the attributes of its first dead letter.
fn originals(delivery: &Delivery) -> impl Iterator<Item = (&String, &MessageAttributeValue)> {
    delivery.attributes().iter().filter(|(name, _)| !is_ours(name))
}

/// Group and deduplication id. A crash between the send and the delete repeats the send: it must
/// change nothing, so the same message always has the same deduplication id.
fn ids(
    extent: Extent,
    delivery: &Delivery,
    code: &str,
    fifo: bool,
) -> (Option<String>, Option<String>) {
    let bare = extent == Extent::Bare;
    if !fifo {
        return (bare.then(|| id(code)), None);
    }
    let message_id = delivery.message_id();
    let deduplication_id =
        if bare { id(&format!("{code}:{message_id}")) } else { message_id.to_owned() };
    (delivery.group_id().map(str::to_owned), Some(deduplication_id))
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
