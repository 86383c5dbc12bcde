//! From an event to the message that carries it.

use std::borrow::Cow;

use aws_sdk_sqs::{
    error::BuildError,
    types::{MessageAttributeValue, SendMessageBatchRequestEntry},
};
use events::{CommandEvent, DecodeError, decode, queue_text};
use objects::claim_check;

use crate::{
    claim::{Apart, Data, apart},
    ids::deduplication,
};

/// When data travels apart, and whither.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claims<'a> {
    pub(crate) bucket: &'a str,
    /// Larger events, in bytes.
    pub(crate) over: usize,
}

/// A valid event, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Message<'a> {
    /// The event's place among those that were given.
    pub(crate) position: usize,
    /// How often it was sent and not taken.
    pub(crate) attempts: u32,
    pub(crate) group: String,
    /// Whether its source is one that only the service itself may use.
    pub(crate) source_is_reserved: bool,
    pub(crate) data: Option<Data>,
    body: Cow<'a, str>,
    deduplication: String,
    attributes: Vec<(&'static str, String)>,
}

impl<'a> Message<'a> {
    /// Reads one event.
    pub(crate) fn new(
        position: usize,
        event: &'a str,
        claims: Option<Claims<'_>>,
    ) -> Result<Self, DecodeError> {
        let event = queue_text(event.into());
        match claims.filter(|claims| event.len() > claims.over) {
            Some(Claims { bucket, .. }) => {
                let Apart { event, body, data } = apart(&event, bucket)?;
                let reference = data.reference(bucket).to_json();
                let mut message = Self::carrying(position, &event, body.into());
                message.attributes.push((claim_check::ATTRIBUTE, reference));
                message.data = Some(data);
                Ok(message)
            }
            None => Ok(Self::carrying(position, &decode(&event)?, event)),
        }
    }

    fn carrying(position: usize, event: &CommandEvent, body: Cow<'a, str>) -> Self {
        let traceparent = event.traceparent.clone().map(|value| ("traceparent", value));
        Self {
            position,
            attempts: 0,
            group: event.command.task.to_string(),
            source_is_reserved: event.source.is_reserved(),
            data: None,
            body,
            deduplication: deduplication(event),
            attributes: traceparent.into_iter().collect(),
        }
    }

    /// What SQS counts against its limit on a request, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(name, value)| name.len() + "String".len() + value.len());
        self.body.len() + attributes.sum::<usize>()
    }

    /// Its entry in a request; named by its position.
    pub(crate) fn entry(&self) -> Result<SendMessageBatchRequestEntry, BuildError> {
        let mut entry = SendMessageBatchRequestEntry::builder()
            .id(self.position.to_string())
            .message_body(&*self.body)
            .message_group_id(&self.group)
            .message_deduplication_id(&self.deduplication);
        for (name, value) in &self.attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value);
            entry = entry.message_attributes(*name, value.build()?);
        }
        entry.build()
    }
}
