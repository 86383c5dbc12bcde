//! A message, as the queue delivered it once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use aws_sdk_sqs::types::{self, MessageAttributeValue, MessageSystemAttributeName};
use chrono::{DateTime, Utc};
use opentelemetry::trace::SpanContext;
use tokio::time::Instant;

use crate::{
    sqs::queue::dead_letter::attributes::{attribute_bytes, restore},
    trace,
};

/// SQS keeps a message invisible for no longer than twelve hours, counted from its receive, which was a
/// moment before its answer.
pub(crate) const LONGEST_STAY: Duration = Duration::from_mins(12 * 60 - 1);

/// The largest message, its attributes included, by SQS.
pub(crate) const LARGEST_MESSAGE: u32 = 1_048_576;

type SystemAttributes = HashMap<MessageSystemAttributeName, String>;

/// One delivery of a message. It does not change: what handling finds out makes another value, which
/// is passed on.
#[derive(Debug, Clone)]
pub struct Delivery {
    message: Arc<Message>,
    receipt_handle: String,
    received_at: Instant,
    /// The span in which the message was sent.
    sender: Option<SpanContext>,
    /// The body that a claim check refers to.
    redeemed: Option<String>,
}

/// What was sent, and what the queue adds. All deliveries that are made of one share it.
#[derive(Debug, Default)]
struct Message {
    id: String,
    body: String,
    system: SystemAttributes,
    attributes: BTreeMap<String, MessageAttributeValue>,
}

impl Delivery {
    fn of(message: Message, receipt_handle: String) -> Self {
        let sender = message.sender();
        Self {
            message: Arc::new(message),
            receipt_handle,
            received_at: Instant::now(),
            sender,
            redeemed: None,
        }
    }

    /// A first delivery without a queue, for a test of a handler's `decode`.
    #[must_use]
    pub fn with_body(body: impl Into<String>) -> Self {
        let message = Message { id: "message".to_owned(), body: body.into(), ..Message::default() };
        Self::of(message, "receipt".to_owned())
    }

    /// The delivery with the body that it refers to, as `decode` sees a claim check.
    #[must_use]
    pub fn with_redeemed(self, body: impl Into<String>) -> Self {
        Self { redeemed: Some(body.into()), ..self }
    }

    /// The delivery with the sender that the handler found in its body, if there is one.
    pub(crate) fn with_traceparent(self, traceparent: Option<&str>) -> Self {
        let sender = traceparent.and_then(trace::w3c);
        Self { sender: sender.or(self.sender), ..self }
    }

    /// The queue's id of the message, the same at every delivery.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message.id
    }

    /// The body that was sent through the queue, untouched: of a claim check the small one.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.message.body
    }

    /// Of a [claim check](crate::sqs::claim_check) the body that it refers to, fetched and verified; only
    /// `decode` is shown it.
    #[must_use]
    pub fn redeemed(&self) -> Option<&str> {
        self.redeemed.as_deref()
    }

    /// The span in which the message was sent, if that is known: by its body, as the handler reads it,
    /// else by the message attribute `traceparent`, else by what AWS passed on.
    pub(crate) fn sender(&self) -> Option<&SpanContext> {
        self.sender.as_ref()
    }

    /// A message attribute's text; `None` if it is absent or binary.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.message.attribute(name)
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

    /// The number of this delivery of the message, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
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
        self.message.body.len() + self.attributes().iter().map(attribute_bytes).sum::<usize>()
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
        &self.message.attributes
    }

    fn time(&self, name: &MessageSystemAttributeName) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.system(name)?.parse().ok()?)
    }

    fn system(&self, name: &MessageSystemAttributeName) -> Option<&str> {
        self.message.system(name)
    }
}

impl Message {
    /// By what it was sent with; its body is known to the handler alone.
    fn sender(&self) -> Option<SpanContext> {
        let attribute = || trace::w3c(self.attribute(trace::TRACEPARENT)?);
        let aws = || trace::aws(self.system(&MessageSystemAttributeName::AwsTraceHeader)?);
        attribute().or_else(aws)
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.string_value()
    }

    fn system(&self, name: &MessageSystemAttributeName) -> Option<&str> {
        self.system.get(name).map(String::as_str)
    }
}

impl TryFrom<types::Message> for Delivery {
    type Error = anyhow::Error;

    fn try_from(message: types::Message) -> anyhow::Result<Self> {
        let mut attributes = message.message_attributes.unwrap_or_default().into_iter().collect();
        restore(&mut attributes);
        let receipt_handle =
            message.receipt_handle.context("a message without a receipt handle")?;
        let message = Message {
            id: message.message_id.context("a message without an id")?,
            body: message.body.unwrap_or_default(),
            system: message.attributes.unwrap_or_default(),
            attributes,
        };
        Ok(Self::of(message, receipt_handle))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Delivery {
        pub(crate) fn in_group(group: &str, receive_count: u32) -> Self {
            let system = SystemAttributes::from([
                (MessageSystemAttributeName::MessageGroupId, group.to_owned()),
                (MessageSystemAttributeName::ApproximateReceiveCount, receive_count.to_string()),
                (
                    MessageSystemAttributeName::ApproximateFirstReceiveTimestamp,
                    "1700000000123".to_owned(),
                ),
            ]);
            let (id, body) = ("message".to_owned(), "body".to_owned());
            let message = Message { id, body, system, ..Message::default() };
            Self::of(message, "receipt".to_owned())
        }

        pub(crate) fn with_attributes(self, names: impl IntoIterator<Item = String>) -> Self {
            let value = MessageAttributeValue::builder().data_type("String").string_value("value");
            let value = value.build().unwrap();
            let attributes = names.into_iter().map(|name| (name, value.clone())).collect();
            let (id, body) = (self.message.id.clone(), self.message.body.clone());
            let system = self.message.system.clone();
            Self::of(Message { id, body, system, attributes }, self.receipt_handle)
        }
    }

    #[test]
    fn a_message_must_have_an_id_and_a_receipt_handle() {
        let message = types::Message::builder().body("body");
        assert!(Delivery::try_from(message.clone().build()).is_err());
        assert!(Delivery::try_from(message.clone().message_id("id").build()).is_err());
        let delivery =
            Delivery::try_from(message.message_id("id").receipt_handle("handle").build());
        assert_eq!(delivery.unwrap().attempt(), 1, "at least this once");
    }
}
