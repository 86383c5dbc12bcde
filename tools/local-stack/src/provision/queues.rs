//! Queues, each with its dead-letter queue.

use std::collections::HashMap;

use anyhow::{Context, Result};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use resources::{DeadLetterQueue, QueueEncryption, resources};
use serde_json::json;

/// For how long a message of a test's queue is invisible: tests end processes and invocations on
/// purpose, and would otherwise wait for minutes until their messages come again.
const TEST_VISIBILITY_SECONDS: u32 = 60;

/// A queue with its dead-letter queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The queue's URL.
    pub url: String,
    /// Its dead-letter queue's URL.
    pub dead_letter_url: String,
}

/// For a test: the queue `{name}.fifo`, which is as the queue of commands but for its names, for
/// `max_receive_count` and for its visibility timeout.
pub async fn create_fifo_queue(
    client: &Client,
    name: &str,
    max_receive_count: u8,
) -> Result<Queue> {
    let described = &resources().queues.commands;
    let names = (format!("{name}.fifo"), format!("{name}-dlq.fifo"));
    create(client, &for_test(described, names, max_receive_count)).await
}

/// The same as the queue of S3's notifications: the standard queue `{name}`.
pub async fn create_queue(client: &Client, name: &str, max_receive_count: u8) -> Result<Queue> {
    let described = &resources().queues.attachment_events;
    let names = (name.to_owned(), format!("{name}-dlq"));
    create(client, &for_test(described, names, max_receive_count)).await
}

/// A queue for a subscriber: as the one of facts, but for its names, and a standard one unless its name
/// ends in `.fifo`.
pub(super) async fn create_subscriber(client: &Client, name: &str) -> Result<Queue> {
    let described = resources().queues.facts.clone();
    let (dead_letters, fifo) = match name.strip_suffix(".fifo") {
        Some(stem) => (format!("{stem}-dlq.fifo"), described.fifo),
        None => (format!("{name}-dlq"), None),
    };
    let dead_letter_queue =
        DeadLetterQueue { name: dead_letters, ..described.dead_letter_queue.clone() };
    let name = name.to_owned();
    create(client, &resources::Queue { name, dead_letter_queue, fifo, ..described }).await
}

fn for_test(
    described: &resources::Queue,
    (name, dead_letters): (String, String),
    max_receive_count: u8,
) -> resources::Queue {
    let described = described.clone();
    resources::Queue {
        name,
        visibility_timeout_seconds: TEST_VISIBILITY_SECONDS,
        max_receive_count: max_receive_count.into(),
        dead_letter_queue: DeadLetterQueue { name: dead_letters, ..described.dead_letter_queue },
        ..described
    }
}

/// Creates a queue and its dead-letter queue, or brings their attributes up to date.
pub(super) async fn create(client: &Client, described: &resources::Queue) -> Result<Queue> {
    let dead_letters = &described.dead_letter_queue;
    let mut attributes = common(described);
    attributes.insert(Name::MessageRetentionPeriod, dead_letters.retention_seconds.to_string());
    let dead_letter_url = put(client, &dead_letters.name, attributes).await?;

    let redrive = json!({
        "deadLetterTargetArn": arn(client, &dead_letter_url).await?,
        "maxReceiveCount": described.max_receive_count,
    });
    let mut attributes = common(described);
    attributes.extend([
        (Name::MessageRetentionPeriod, described.retention_seconds.to_string()),
        (Name::VisibilityTimeout, described.visibility_timeout_seconds.to_string()),
        (Name::RedrivePolicy, redrive.to_string()),
    ]);
    let url = put(client, &described.name, attributes).await?;

    // Only a queue that is there can be allowed.
    let allowed = json!({
        "redrivePermission": dead_letters.redrive_allow.as_str(),
        "sourceQueueArns": [arn(client, &url).await?],
    });
    let allowed = HashMap::from([(Name::RedriveAllowPolicy, allowed.to_string())]);
    set(client, &dead_letters.name, &dead_letter_url, allowed).await?;
    Ok(Queue { url, dead_letter_url })
}

/// What a queue shares with its dead-letter queue.
fn common(described: &resources::Queue) -> HashMap<Name, String> {
    let mut attributes =
        HashMap::from([(Name::MaximumMessageSize, described.maximum_message_bytes.to_string())]);
    match described.encryption {
        QueueEncryption::SseSqs => {
            attributes.insert(Name::SqsManagedSseEnabled, true.to_string());
        }
    }
    if let Some(fifo) = described.fifo {
        let content_based = fifo.content_based_deduplication.to_string();
        attributes.extend([
            (Name::FifoQueue, true.to_string()),
            (Name::ContentBasedDeduplication, content_based),
            (Name::DeduplicationScope, fifo.deduplication_scope.as_str().to_owned()),
            (Name::FifoThroughputLimit, fifo.throughput_limit.as_str().to_owned()),
        ]);
    }
    attributes
}

async fn put(client: &Client, name: &str, attributes: HashMap<Name, String>) -> Result<String> {
    let existing = client.get_queue_url().queue_name(name).send().await;
    let Ok(existing) = existing else {
        let request = client.create_queue().queue_name(name).set_attributes(Some(attributes));
        let created = request.send().await.with_context(|| format!("creating the queue {name}"))?;
        return created.queue_url.context("a created queue has no URL");
    };
    let url = existing.queue_url.context("an existing queue has no URL")?;
    let mut changeable = attributes;
    changeable.remove(&Name::FifoQueue);
    set(client, name, &url, changeable).await?;
    Ok(url)
}

async fn set(
    client: &Client,
    name: &str,
    url: &str,
    attributes: HashMap<Name, String>,
) -> Result<()> {
    let request = client.set_queue_attributes().queue_url(url).set_attributes(Some(attributes));
    request.send().await.with_context(|| format!("updating the queue {name}"))?;
    Ok(())
}

pub(super) async fn arn(client: &Client, url: &str) -> Result<String> {
    let request = client.get_queue_attributes().queue_url(url).attribute_names(Name::QueueArn);
    let attributes = request.send().await?.attributes.unwrap_or_default();
    attributes.get(&Name::QueueArn).cloned().context("a queue has no ARN")
}
