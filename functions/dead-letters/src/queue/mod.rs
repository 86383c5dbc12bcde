//! Queues: found, and read without harm.

mod access;
mod delete;
mod find;
mod held;
mod intake;
mod interrupt;
mod limits;
mod list;
mod name;
mod peek;
mod release;
mod send;
mod sources;
mod visibility;

pub(crate) use access::aws;
pub(crate) use delete::delete;
pub(crate) use find::{NotReadable, find, target};
pub(crate) use intake::{Intake, Page};
pub(crate) use interrupt::Interrupt;
pub(crate) use limits::{LANES, LIMITS, MOST_IN_FLIGHT, PAGE};
pub(crate) use list::{DeadLetterQueue, Listed, list};
pub(crate) use name::{Reference, reference};
pub(crate) use peek::{End, Peeked, Viewer, peek, peek_within};
pub(crate) use send::send;
pub(crate) use sources::sources;

use std::collections::HashMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use find::attributes;
use serde::Deserialize;

/// A queue, as it is at the moment.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) client: Client,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) arn: String,
    pub(crate) is_fifo: bool,
    pub(crate) depth: Depth,
    /// The largest message that it takes, in bytes.
    pub(crate) most_bytes: usize,
    pub(crate) redrive: Option<Redrive>,
}

/// How many messages a queue has, as SQS estimates them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Depth {
    pub(crate) visible: u64,
    pub(crate) in_flight: u64,
    pub(crate) delayed: u64,
}

impl Depth {
    pub(crate) fn total(self) -> u64 {
        self.visible.saturating_add(self.in_flight).saturating_add(self.delayed)
    }
}

/// Where SQS moves messages that were received too often.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Redrive {
    pub(crate) dead_letter_target_arn: String,
}

impl Queue {
    fn new(client: &Client, url: &str, attributes: &HashMap<Name, String>) -> Self {
        let text = |name: &Name| attributes.get(name).map_or("", String::as_str);
        let number = |name: &Name| text(name).parse().unwrap_or_default();
        let arn = text(&Name::QueueArn).to_owned();
        Self {
            client: client.clone(),
            name: name_of(url).to_owned(),
            url: url.to_owned(),
            is_fifo: text(&Name::FifoQueue) == "true",
            depth: Depth {
                visible: number(&Name::ApproximateNumberOfMessages),
                in_flight: number(&Name::ApproximateNumberOfMessagesNotVisible),
                delayed: number(&Name::ApproximateNumberOfMessagesDelayed),
            },
            most_bytes: text(&Name::MaximumMessageSize).parse().unwrap_or(usize::MAX),
            redrive: serde_json::from_str(text(&Name::RedrivePolicy)).ok(),
            arn,
        }
    }

    /// The same queue, as it is now.
    ///
    /// # Errors
    /// When SQS does not answer.
    pub(crate) async fn refreshed(&self) -> anyhow::Result<Self> {
        let attributes = attributes(&self.client, &self.url).await?;
        Ok(Self::new(&self.client, &self.url, &attributes))
    }
}

/// The last part of a URL or an ARN.
pub(crate) fn name_of(reference: &str) -> &str {
    reference.rsplit(['/', ':']).next().unwrap_or(reference)
}

#[cfg(test)]
mod tests;
