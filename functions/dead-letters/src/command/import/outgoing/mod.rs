//! A message of a file, as it is to be sent.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry,
};
use messages::{Attribute, DETAILS, REASON};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::dead_letter::MovedBy;
use crate::file::Record;
use crate::queue::Queue;
use crate::ready::Item;

/// Attributes of a message: the most that SQS allows.
const MOST_ATTRIBUTES: usize = 10;

#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) line: u64,
    /// In a FIFO queue, the group in which it has a place.
    ordered_group: Option<String>,
    /// As SQS counts them.
    bytes: usize,
    /// SQS had moved it, and it has no room for the name of the queue that it was in.
    pub(super) lacks_source: bool,
    body: String,
    attributes: HashMap<String, MessageAttributeValue>,
    group: Option<String>,
    deduplication_id: Option<String>,
    aws_trace_header: Option<String>,
}

/// Why a queue would not take a message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("it has no message group, and a FIFO queue needs one")]
    NoGroup,
    #[error("it has {0} attributes; SQS takes {MOST_ATTRIBUTES}")]
    Attributes(usize),
    #[error("its attribute {0} is not what its type says")]
    Attribute(String),
    #[error("it has {0} bytes; the queue takes {1}")]
    TooLarge(usize, usize),
    #[error("its body is empty")]
    Empty,
}

impl Item for Outgoing {
    fn group(&self) -> Option<&str> {
        self.ordered_group.as_deref()
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Outgoing {
    /// Of the message on a line of the file with a digest, for a queue.
    pub(super) fn new(
        record: Record,
        line: u64,
        queue: &Queue,
        sha256: &str,
    ) -> Result<Self, Unfit> {
        if queue.is_fifo && record.group.is_none() {
            return Err(Unfit::NoGroup);
        }
        if record.body.is_empty() {
            return Err(Unfit::Empty);
        }
        if record.attributes.len() > MOST_ATTRIBUTES {
            return Err(Unfit::Attributes(record.attributes.len()));
        }
        let plain = restored(record.attributes.iter())?;
        let with_source = with_source(&record);
        let fits = |attributes: &HashMap<_, _>| bytes(&record.body, attributes) <= queue.most_bytes;
        let with_source = with_source.transpose()?.filter(fits);
        let lacks_source = needs_source(&record) && with_source.is_none();
        let attributes = with_source.unwrap_or(plain);
        let bytes = bytes(&record.body, &attributes);
        if bytes > queue.most_bytes {
            return Err(Unfit::TooLarge(bytes, queue.most_bytes));
        }
        let id = || deduplication_id(&record, line, sha256);
        Ok(Self {
            line,
            ordered_group: record.group.clone().filter(|_| queue.is_fifo),
            bytes,
            lacks_source,
            deduplication_id: queue.is_fifo.then(id),
            body: record.body,
            attributes,
            group: record.group,
            aws_trace_header: record.aws_trace_header,
        })
    }

    /// As an entry of a batch.
    pub(super) fn entry(&self) -> Result<SendMessageBatchRequestEntry, BuildError> {
        let attributes = Some(self.attributes.clone()).filter(|attributes| !attributes.is_empty());
        let entry = SendMessageBatchRequestEntry::builder().id(self.line.to_string());
        let mut entry = entry
            .message_body(&self.body)
            .set_message_attributes(attributes)
            .set_message_group_id(self.group.clone())
            .set_message_deduplication_id(self.deduplication_id.clone());
        if let Some(header) = &self.aws_trace_header {
            let header =
                MessageSystemAttributeValue::builder().data_type("String").string_value(header);
            let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
            entry = entry.message_system_attributes(name, header.build()?);
        }
        entry.build()
    }
}

fn restored<'a>(
    attributes: impl Iterator<Item = (&'a String, &'a Attribute)>,
) -> Result<HashMap<String, MessageAttributeValue>, Unfit> {
    let restored = attributes.map(|(name, attribute)| {
        let value = attribute.restored().ok_or_else(|| Unfit::Attribute(name.clone()))?;
        Ok((name.clone(), value))
    });
    restored.collect()
}

/// SQS does not take back what it said of a message that it had moved.
fn needs_source(record: &Record) -> bool {
    record.moved_by == Some(MovedBy::Sqs) && record.source_queue.is_some()
}

/// The attributes with one of ours, which says where it failed, so that a replay finds it.
fn with_source(record: &Record) -> Option<Result<HashMap<String, MessageAttributeValue>, Unfit>> {
    let queue = record.source_queue.as_ref().filter(|_| needs_source(record))?;
    let mut attributes = record.attributes.clone();
    let known = attributes.remove(DETAILS);
    let mut details = match &known {
        None => Map::new(),
        // Somebody else's attribute of that name stays.
        Some(known) => serde_json::from_str::<Map<String, Value>>(known.text()?).ok()?,
    };
    details.insert("queue".to_owned(), json!(queue));
    details.insert("message_id".to_owned(), json!(record.message_id));
    // One of them was the reader's.
    details.insert("attempts".to_owned(), json!(record.receives.map(|n| n.saturating_sub(1))));
    if attributes.len() >= MOST_ATTRIBUTES {
        let name = attributes.iter().min_by_key(|(_, attribute)| attribute.value.len());
        let name = name.map(|(name, _)| name.clone())?;
        let attribute = attributes.remove(&name)?;
        let others = details.entry("attributes").or_insert_with(|| json!({}));
        others.as_object_mut()?.insert(name, json!(attribute));
    }
    let details = Attribute { data_type: "String".to_owned(), value: json!(details).to_string() };
    attributes.insert(DETAILS.to_owned(), details);
    Some(restored(attributes.iter()))
}

/// The same for the same line of the same file, so that an import that is repeated within five minutes
/// adds nothing. A dead letter without room for an attribute has its reason before it.
fn deduplication_id(record: &Record, line: u64, sha256: &str) -> String {
    let digest = digest(&SHA256, format!("{sha256}:{line}").as_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest.as_ref()).for_each(|(byte, of_digest)| *byte = *of_digest);
    let id = uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string();
    let has_attribute = [REASON, DETAILS].iter().any(|name| record.attributes.contains_key(*name));
    let known = record.deduplication_id.as_deref().and_then(|known| known.rsplit_once(':'));
    match (known, &record.reason) {
        (Some((code, old)), Some(reason))
            if !has_attribute && code == reason && Uuid::try_parse(old).is_ok() =>
        {
            format!("{code}:{id}")
        }
        _ => id,
    }
}

fn bytes(body: &str, attributes: &HashMap<String, MessageAttributeValue>) -> usize {
    let of_attribute = |(name, value): (&String, &MessageAttributeValue)| {
        let binary = value.binary_value().map_or(0, |value| value.as_ref().len());
        name.len() + value.data_type().len() + value.string_value().map_or(binary, str::len)
    };
    body.len() + attributes.iter().map(of_attribute).sum::<usize>()
}

#[cfg(test)]
mod tests;
