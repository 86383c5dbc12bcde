//! What is known of a dead letter besides its contents: a line of `ls`.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use chrono::{DateTime, Utc};
use events::UncheckedEnvelope;
use messages::Attribute;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{CommandKey, Sought};

use super::details::Details;
use super::reason::reason;
use super::system;
use crate::queue::{Queue, name_of};

/// Its members are what `ls --json` prints: always all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Summary {
    pub(crate) message_id: String,
    /// When it was sent: by its handler to the dead-letter queue, or, if SQS moved it, by its producer.
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub(crate) sent_at: Option<DateTime<Utc>>,
    pub(crate) moved_by: Option<MovedBy>,
    pub(crate) reason: Option<String>,
    pub(crate) detail: Option<String>,
    /// Deliveries before it was a dead letter. SQS counts on when it moves a message, so each read of
    /// such a one counts as one more.
    pub(crate) attempts: Option<u32>,
    /// The name of the queue that it was in.
    pub(crate) source_queue: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) r#type: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) event_id: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) task: Option<String>,
    pub(crate) trace_id: Option<String>,
    pub(crate) body_bytes: usize,
    /// The command that it may be, as the inbox knows it.
    #[serde(skip)]
    pub(crate) command: Option<Sought>,
}

/// What made a message a dead letter.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MovedBy {
    /// A handler gave its reason.
    Handler,
    /// SQS itself, after the last delivery.
    Sqs,
}

impl Summary {
    pub(super) fn read(
        message: &Message,
        attributes: &BTreeMap<String, Attribute>,
        details: &Details,
        queue: &Queue,
    ) -> Self {
        let system = |name| system(message, name);
        let body = message.body.as_deref().unwrap_or_default();
        let envelope = UncheckedEnvelope::read(body);
        let arn = system(&System::DeadLetterQueueSourceArn);
        let reason = reason(message, attributes, details, queue.most_bytes);
        let moved_by = match (&reason, arn) {
            (_, Some(_)) => Some(MovedBy::Sqs),
            (Some(_), None) => Some(MovedBy::Handler),
            (None, None) => None,
        };
        // One of them is our receive.
        let received = system(&System::ApproximateReceiveCount).and_then(|n| n.parse::<u32>().ok());
        let moved = moved_by == Some(MovedBy::Sqs);
        let counted = received.filter(|_| moved).map(|count| count.saturating_sub(1));
        let traceparent = attributes.get("traceparent").and_then(Attribute::text);
        let traceparent = envelope.traceparent.as_deref().or(traceparent);
        let command = command(&envelope);
        Self {
            message_id: message.message_id.clone().unwrap_or_default(),
            sent_at: system(&System::SentTimestamp).and_then(time),
            moved_by,
            reason,
            detail: details.detail.clone(),
            attempts: counted.or(details.attempts),
            source_queue: arn.or(details.queue.as_deref()).map(|arn| name_of(arn).to_owned()),
            group: system(&System::MessageGroupId).map(str::to_owned),
            trace_id: details.trace_id.clone().or_else(|| traceparent.and_then(trace_id)),
            r#type: envelope.r#type,
            source: envelope.source,
            event_id: envelope.id,
            tenant: envelope.tenant,
            task: envelope.subject,
            body_bytes: body.len(),
            command,
        }
    }

    /// The seconds since it was sent.
    pub(crate) fn age(&self, now: DateTime<Utc>) -> Option<u64> {
        let seconds = now.signed_duration_since(self.sent_at?).num_seconds();
        Some(u64::try_from(seconds).unwrap_or_default())
    }
}

/// A request over HTTP is known by its caller and the key that this one chose.
fn command(envelope: &UncheckedEnvelope) -> Option<Sought> {
    let source = envelope.source.clone()?;
    let (caller, id) = match envelope.request() {
        Some((caller, key)) => (Some(caller), key),
        None => (None, envelope.id.clone()?),
    };
    Some(Sought { key: CommandKey { source, id }, caller })
}

fn time(milliseconds: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(milliseconds.parse().ok()?)
}

/// The second part of a W3C trace context.
fn trace_id(traceparent: &str) -> Option<String> {
    traceparent.split('-').nth(1).filter(|id| id.len() == 32).map(str::to_owned)
}
