//! The lines of a file.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use chrono::{DateTime, Utc};
use messages::Attribute;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dead_letter::{DeadLetter, MovedBy};

/// What says that a file is one of these.
pub(crate) const FORMAT: &str = "task-app/dead-letters";
/// Raised when a reader of before would misread a file.
pub(crate) const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Line {
    Header(Header),
    Message(Box<Record>),
    Trailer(Trailer),
}

/// Where the messages are from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Header {
    pub(crate) format: String,
    pub(crate) version: u32,
    /// The ARN of the queue that they were read from.
    pub(crate) queue: String,
    #[serde(serialize_with = "domain::time::serialize")]
    pub(crate) exported_at: DateTime<Utc>,
    /// What was asked for.
    pub(crate) filter: Vec<String>,
    /// The version of the tool that wrote the file.
    pub(crate) tool: String,
}

/// A message: all of what SQS gave, and two things that it takes the tool to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Record {
    pub(crate) message_id: String,
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub(crate) sent_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub(crate) first_received_at: Option<DateTime<Utc>>,
    /// How often it was received.
    pub(crate) receives: Option<u32>,
    pub(crate) sender_id: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) deduplication_id: Option<String>,
    pub(crate) sequence_number: Option<String>,
    pub(crate) aws_trace_header: Option<String>,
    /// What made it a dead letter.
    pub(crate) moved_by: Option<MovedBy>,
    /// The ARN of the queue that it failed in.
    pub(crate) source_queue: Option<String>,
    pub(crate) reason: Option<String>,
    /// All of them, ours too.
    pub(crate) attributes: BTreeMap<String, Attribute>,
    pub(crate) body: String,
}

/// How to know that a file is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Trailer {
    pub(crate) messages: u64,
    /// Of all lines before this one, in 64 hexadecimal digits.
    pub(crate) sha256: String,
    /// Whether all that fitted was there to be read; not known of one of several parts.
    pub(crate) complete: Option<bool>,
}

impl Header {
    pub(crate) fn new(queue: &str, exported_at: DateTime<Utc>, filter: Vec<String>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            queue: queue.to_owned(),
            exported_at,
            filter,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

impl Record {
    /// All of a message, which is read as `dead_letter`.
    pub(crate) fn new(message: Message, dead_letter: &DeadLetter) -> Self {
        let system = |name: &System| message.attributes.as_ref()?.get(name).cloned();
        let time = |name: &System| DateTime::from_timestamp_millis(system(name)?.parse().ok()?);
        let attributes = message.message_attributes.iter().flatten();
        Self {
            sent_at: time(&System::SentTimestamp),
            first_received_at: time(&System::ApproximateFirstReceiveTimestamp),
            receives: system(&System::ApproximateReceiveCount).and_then(|n| n.parse().ok()),
            sender_id: system(&System::SenderId),
            group: system(&System::MessageGroupId),
            deduplication_id: system(&System::MessageDeduplicationId),
            sequence_number: system(&System::SequenceNumber),
            aws_trace_header: system(&System::AwsTraceHeader),
            moved_by: dead_letter.summary.moved_by,
            source_queue: dead_letter.source_arn.clone(),
            reason: dead_letter.summary.reason.clone(),
            attributes: attributes.map(|(name, value)| (name.clone(), value.into())).collect(),
            message_id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
        }
    }
}
