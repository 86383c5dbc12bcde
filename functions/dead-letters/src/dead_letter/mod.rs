//! What is read of a dead letter, whoever wrote it.
//!
//! | from | what |
//! |---|---|
//! | the body | type, source, id, tenant and task, if it is a CloudEvent in JSON |
//! | our attributes | reason, detail, handler, attempts, trace, the queue that it was in |
//! | SQS | ids, group, times, the count of receives, and the queue, if SQS moved it itself |

mod details;
#[cfg(test)]
mod example;
mod fingerprint;
mod reason;
mod summary;

pub(crate) use fingerprint::fingerprint;
pub(crate) use summary::{MovedBy, Summary};

use std::collections::BTreeMap;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use details::Details;
use messages::{Attribute, DETAILS, REASON};
use schemars::JsonSchema;
use serde::Serialize;

use crate::queue::Queue;

/// All of a dead letter. Its members are a part of what `show --json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DeadLetter {
    #[serde(flatten)]
    pub(crate) summary: Summary,
    /// What handled it last.
    pub(crate) handler: Option<String>,
    /// When it was received first: by its handler, or, of a message that SQS moved, by anybody.
    pub(crate) first_received_at: Option<String>,
    /// When its handler gave it up.
    pub(crate) failed_at: Option<String>,
    /// The id that it had in its first queue.
    pub(crate) original_message_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
    /// The ARN of the queue that it failed in.
    #[serde(skip)]
    pub(crate) source_arn: Option<String>,
    /// Where its body is, if that is in S3.
    pub(crate) claim_check: Option<objects::claim_check::Reference>,
    /// The sender's attributes, also those that had no room beside ours.
    pub(crate) attributes: BTreeMap<String, Attribute>,
    pub(crate) body: String,
    /// The group that its sender gave it in a standard queue.
    #[serde(skip)]
    pub(crate) sender_group: Option<String>,
    /// The X-Ray trace header that its sender gave it.
    #[serde(skip)]
    pub(crate) trace_header: Option<String>,
}

impl DeadLetter {
    /// Reads a message of `queue`.
    pub(crate) fn read(message: &Message, queue: &Queue) -> Self {
        let mut attributes: BTreeMap<String, Attribute> = message
            .message_attributes
            .iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.into()))
            .collect();
        let details = attributes.get(DETAILS).and_then(Details::read).unwrap_or_default();
        let summary = Summary::read(message, &attributes, &details, queue);
        attributes.retain(|name, _| ![REASON, DETAILS].contains(&name.as_str()));
        for (name, attribute) in details.attributes {
            attributes.entry(name).or_insert(attribute);
        }
        let claim_check = attributes
            .get(objects::claim_check::ATTRIBUTE)
            .and_then(|attribute| serde_json::from_str(attribute.text()?).ok());
        let moved_from = system(message, &MessageSystemAttributeName::DeadLetterQueueSourceArn);
        let deduplication_id = MessageSystemAttributeName::MessageDeduplicationId;
        let text = |name| system(message, &name).map(str::to_owned);
        // What a handler moved has its reason as its group, or none.
        let is_senders = summary.moved_by != Some(MovedBy::Handler);
        let group = text(MessageSystemAttributeName::MessageGroupId).filter(|_| is_senders);
        Self {
            sender_group: details.group_id.or(group),
            trace_header: text(MessageSystemAttributeName::AwsTraceHeader),
            deduplication_id: system(message, &deduplication_id).map(str::to_owned),
            source_arn: moved_from.map(str::to_owned).or(details.queue),
            handler: details.handler,
            first_received_at: details.first_received_at,
            failed_at: details.failed_at,
            original_message_id: details.message_id,
            claim_check,
            attributes,
            body: message.body.clone().unwrap_or_default(),
            summary,
        }
    }

    /// The id that it had in its first queue: a handler sends a copy, and SQS moves the message itself.
    pub(crate) fn sent_id(&self) -> &str {
        self.original_message_id.as_deref().unwrap_or(&self.summary.message_id)
    }

    /// What SQS counts of the attributes against the size of a message.
    pub(crate) fn attribute_bytes(&self) -> usize {
        let of_attribute = |(name, attribute): (&String, &Attribute)| {
            name.len() + attribute.data_type.len() + attribute.value.len()
        };
        self.attributes.iter().map(of_attribute).sum()
    }

    /// Whether an operator may mean this one: by either id of the message, or by the event's.
    pub(crate) fn is(&self, id: &str) -> bool {
        let original = self.original_message_id.as_deref();
        self.summary.message_id == id
            || original == Some(id)
            || self.summary.event_id.as_deref() == Some(id)
    }
}

/// What SQS says of a message.
fn system<'a>(message: &'a Message, name: &MessageSystemAttributeName) -> Option<&'a str> {
    message.attributes.as_ref()?.get(name).map(String::as_str)
}

#[cfg(test)]
mod tests;
