//! The queues that the system needs, created where they are missing.

use std::collections::HashMap;

use anyhow::{Context, Result};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::json;

/// The queue of commands.
const COMMANDS: &str = "task-commands";
/// The queue of facts.
const FACTS: &str = "task-facts";
/// The queue of S3's notifications about the bucket of attachments.
const ATTACHMENT_EVENTS: &str = "attachment-events";
/// Deliveries of a message before SQS itself moves it to the dead-letter queue. An outage of a quarter
/// of an hour takes nine of a Lambda's, which cannot stop its event source mapping.
pub const MAX_RECEIVE_COUNT: u8 = 10;

const VISIBILITY_SECONDS: u32 = 60;
const RETENTION_SECONDS: u32 = 14 * 24 * 60 * 60;

/// A queue with its dead-letter queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The queue's URL.
    pub url: String,
    /// Its dead-letter queue's URL.
    pub dead_letter_url: String,
}

/// The queues of the whole system.
#[derive(Debug, Clone)]
pub(crate) struct Queues {
    /// Commands.
    pub(crate) commands: Queue,
    /// Facts.
    pub(crate) facts: Queue,
    /// What was uploaded.
    pub(crate) attachment_events: Queue,
}

impl Queues {
    pub(crate) async fn create(client: &Client) -> Result<Self> {
        Ok(Self {
            commands: create_fifo_queue(client, COMMANDS, MAX_RECEIVE_COUNT).await?,
            facts: create_fifo_queue(client, FACTS, MAX_RECEIVE_COUNT).await?,
            attachment_events: create_queue(client, ATTACHMENT_EVENTS, MAX_RECEIVE_COUNT).await?,
        })
    }
}

/// Creates the FIFO queue `{name}.fifo` and its dead-letter queue `{name}-dlq.fifo`, or brings
/// their attributes up to date. Both keep messages for 14 days; a message is invisible for 60
/// seconds after a delivery.
pub async fn create_fifo_queue(
    client: &Client,
    name: &str,
    max_receive_count: u8,
) -> Result<Queue> {
    let (queue, dead_letters) = (format!("{name}.fifo"), format!("{name}-dlq.fifo"));
    create_pair(client, &queue, &dead_letters, fifo(), max_receive_count).await
}

/// As [`create_fifo_queue`], the standard queue `{name}` and its dead-letter queue `{name}-dlq`.
pub async fn create_queue(client: &Client, name: &str, max_receive_count: u8) -> Result<Queue> {
    let dead_letters = format!("{name}-dlq");
    create_pair(client, name, &dead_letters, standard(), max_receive_count).await
}

async fn create_pair(
    client: &Client,
    name: &str,
    dead_letters: &str,
    mut attributes: HashMap<Name, String>,
    max_receive_count: u8,
) -> Result<Queue> {
    let dead_letter_url = create(client, dead_letters, attributes.clone()).await?;
    let arn = arn(client, &dead_letter_url).await?;
    let redrive = json!({"deadLetterTargetArn": arn, "maxReceiveCount": max_receive_count});
    attributes.insert(Name::RedrivePolicy, redrive.to_string());
    let url = create(client, name, attributes).await?;
    Ok(Queue { url, dead_letter_url })
}

fn standard() -> HashMap<Name, String> {
    HashMap::from([
        (Name::MessageRetentionPeriod, RETENTION_SECONDS.to_string()),
        (Name::VisibilityTimeout, VISIBILITY_SECONDS.to_string()),
    ])
}

/// A FIFO queue of high throughput, whose senders choose the deduplication id.
fn fifo() -> HashMap<Name, String> {
    let mut attributes = standard();
    attributes.extend([
        (Name::FifoQueue, "true".to_owned()),
        (Name::ContentBasedDeduplication, "false".to_owned()),
        (Name::DeduplicationScope, "messageGroup".to_owned()),
        (Name::FifoThroughputLimit, "perMessageGroupId".to_owned()),
    ]);
    attributes
}

async fn create(client: &Client, name: &str, attributes: HashMap<Name, String>) -> Result<String> {
    let existing = client.get_queue_url().queue_name(name).send().await;
    let Ok(existing) = existing else {
        let request = client.create_queue().queue_name(name).set_attributes(Some(attributes));
        let created = request.send().await.with_context(|| format!("creating the queue {name}"))?;
        return created.queue_url.context("a created queue has no URL");
    };
    let url = existing.queue_url.context("an existing queue has no URL")?;
    let mut changeable = attributes;
    changeable.remove(&Name::FifoQueue);
    client
        .set_queue_attributes()
        .queue_url(&url)
        .set_attributes(Some(changeable))
        .send()
        .await
        .with_context(|| format!("updating the queue {name}"))?;
    Ok(url)
}

pub(crate) async fn arn(client: &Client, url: &str) -> Result<String> {
    let request = client.get_queue_attributes().queue_url(url).attribute_names(Name::QueueArn);
    let attributes = request.send().await?.attributes.unwrap_or_default();
    attributes.get(&Name::QueueArn).cloned().context("a queue has no ARN")
}
