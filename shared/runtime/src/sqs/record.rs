//! A message as the queue handed it out.

use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
    time::Duration,
};

use anyhow::Context as _;
use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use chrono::{DateTime, Utc};
use opentelemetry::trace::SpanContext;
use tokio::time::Instant;

use super::dead_letter;
use crate::trace;

/// SQS keeps a message invisible for no longer than twelve hours, counted from its receive, which was a
/// moment before its answer.
pub(crate) const LONGEST_STAY: Duration = Duration::from_mins(12 * 60 - 1);

type SystemAttributes = HashMap<MessageSystemAttributeName, String>;

/// One delivery of one message.
#[derive(Debug, Clone)]
pub struct Record {
    message_id: String,
    receipt_handle: String,
    body: String,
    /// What a claim check stands for.
    claimed: Option<String>,
    /// Whose trace it belongs to.
    sender: OnceLock<SpanContext>,
    /// Whether the queue hands it out no more.
    last_delivery: OnceLock<bool>,
    received_at: Instant,
    system: SystemAttributes,
    attributes: BTreeMap<String, MessageAttributeValue>,
}

impl Record {
    /// A first delivery that never saw a queue, for a test of a handler's `decode`.
    #[must_use]
    pub fn with_body(body: impl Into<String>) -> Self {
        Self {
            message_id: "message".to_owned(),
            receipt_handle: "receipt".to_owned(),
            body: body.into(),
            claimed: None,
            sender: OnceLock::new(),
            last_delivery: OnceLock::new(),
            received_at: Instant::now(),
            system: SystemAttributes::new(),
            attributes: BTreeMap::new(),
        }
    }

    /// The record with the body that it refers to, as `decode` sees a claim check.
    #[must_use]
    pub fn with_claimed(self, body: impl Into<String>) -> Self {
        Self { claimed: Some(body.into()), ..self }
    }

    /// The queue's id of the message, the same at every delivery.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// The body that was sent through the queue, untouched: of a claim check the small one.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Of a [claim check](super::claim_check) the body that it refers to, fetched and verified; only
    /// `decode` is shown it.
    #[must_use]
    pub fn claimed(&self) -> Option<&str> {
        self.claimed.as_deref()
    }

    /// Who sent the message, if that is known: as the handler found it in the body, else the message
    /// attribute `traceparent`, else what AWS passed on.
    pub(crate) fn sender(&self) -> Option<&SpanContext> {
        self.sender.get()
    }

    /// Finds out who sent the message; `told` is what the handler found.
    pub(crate) fn trace(&self, told: Option<&str>) {
        let attribute = || trace::w3c(self.attribute(trace::TRACEPARENT)?);
        let aws = || trace::aws(self.system(&MessageSystemAttributeName::AwsTraceHeader)?);
        if let Some(sender) = told.and_then(trace::w3c).or_else(attribute).or_else(aws) {
            self.sender.get_or_init(|| sender);
        }
    }

    /// Whether the queue hands it out no more: without an [`Ack`](super::Verdict::Ack) it goes to the
    /// dead-letter queue, as it does when the process crashes now.
    #[must_use]
    pub fn is_last_delivery(&self) -> bool {
        self.last_delivery.get().is_some_and(|last| *last)
    }

    /// Notes whether the queue's rules make this its last delivery.
    pub(crate) fn note_last_delivery(&self, last: bool) {
        self.last_delivery.get_or_init(|| last);
    }

    /// A message attribute's text; `None` if it is absent or binary.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.string_value()
    }

    /// The message group: of a FIFO queue always, of a standard queue if the sender set one.
    #[must_use]
    pub fn group_id(&self) -> Option<&str> {
        self.system(&MessageSystemAttributeName::MessageGroupId)
    }

    /// Whether the message has a place in its group: in a standard queue it has none.
    pub(crate) fn is_ordered(&self) -> bool {
        self.system(&MessageSystemAttributeName::SequenceNumber).is_some()
    }

    /// How often the message has been handed out, this time included.
    #[must_use]
    pub fn receive_count(&self) -> u32 {
        self.system(&MessageSystemAttributeName::ApproximateReceiveCount)
            .and_then(|count| count.parse().ok())
            .unwrap_or(1)
    }

    /// The longest time for which SQS can, from now, keep the message invisible.
    pub(crate) fn longest_wait(&self) -> Duration {
        LONGEST_STAY.saturating_sub(self.since_receive())
    }

    /// The time since it was received; in a Lambda since the invocation began.
    pub(crate) fn since_receive(&self) -> Duration {
        self.received_at.elapsed()
    }

    /// Bytes that the message takes, as SQS counts them.
    pub(crate) fn bytes(&self) -> usize {
        self.body.len() + self.attributes.iter().map(attribute_bytes).sum::<usize>()
    }

    /// When the message was sent.
    #[must_use]
    pub fn sent_at(&self) -> Option<DateTime<Utc>> {
        self.time(&MessageSystemAttributeName::SentTimestamp)
    }

    /// When the message was first handed out.
    #[must_use]
    pub fn first_received_at(&self) -> Option<DateTime<Utc>> {
        self.time(&MessageSystemAttributeName::ApproximateFirstReceiveTimestamp)
    }

    pub(crate) fn receipt_handle(&self) -> &str {
        &self.receipt_handle
    }

    pub(crate) fn attributes(&self) -> &BTreeMap<String, MessageAttributeValue> {
        &self.attributes
    }

    fn time(&self, name: &MessageSystemAttributeName) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.system(name)?.parse().ok()?)
    }

    fn system(&self, name: &MessageSystemAttributeName) -> Option<&str> {
        self.system.get(name).map(String::as_str)
    }
}

/// Bytes that an attribute takes, as SQS counts them.
pub(crate) fn attribute_bytes((name, value): (&String, &MessageAttributeValue)) -> usize {
    let binary = value.binary_value().map_or(0, |value| value.as_ref().len());
    name.len() + value.data_type().len() + value.string_value().map_or(binary, str::len)
}

impl TryFrom<Message> for Record {
    type Error = anyhow::Error;

    fn try_from(message: Message) -> anyhow::Result<Self> {
        let mut attributes = message.message_attributes.unwrap_or_default().into_iter().collect();
        dead_letter::restore(&mut attributes);
        Ok(Self {
            message_id: message.message_id.context("a message without an id")?,
            receipt_handle: message.receipt_handle.context("a message without a receipt handle")?,
            body: message.body.unwrap_or_default(),
            claimed: None,
            sender: OnceLock::new(),
            last_delivery: OnceLock::new(),
            received_at: Instant::now(),
            system: message.attributes.unwrap_or_default(),
            attributes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Record {
        pub(crate) fn in_group(group: &str, receive_count: u32) -> Self {
            let system = SystemAttributes::from([
                (MessageSystemAttributeName::MessageGroupId, group.to_owned()),
                (MessageSystemAttributeName::ApproximateReceiveCount, receive_count.to_string()),
                (
                    MessageSystemAttributeName::ApproximateFirstReceiveTimestamp,
                    "1700000000123".to_owned(),
                ),
            ]);
            Self { system, ..Self::with_body("body") }
        }

        pub(crate) fn with_attributes(self, names: impl IntoIterator<Item = String>) -> Self {
            let value = MessageAttributeValue::builder().data_type("String").string_value("value");
            let value = value.build().unwrap();
            let attributes = names.into_iter().map(|name| (name, value.clone())).collect();
            Self { attributes, ..self }
        }
    }

    #[test]
    fn a_message_must_have_an_id_and_a_receipt_handle() {
        let message = Message::builder().body("body");
        assert!(Record::try_from(message.clone().build()).is_err());
        assert!(Record::try_from(message.clone().message_id("id").build()).is_err());
        let record = Record::try_from(message.message_id("id").receipt_handle("handle").build());
        assert_eq!(record.unwrap().receive_count(), 1, "at least this once");
    }
}
