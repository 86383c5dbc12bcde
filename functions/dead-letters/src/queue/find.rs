//! From what an operator names to the queue.

use std::collections::HashMap;

use anyhow::Context as _;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::QueueAttributeName as Name;

use super::{Queue, Reference, name_of};

/// Why a queue is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReadable {
    #[error(
        "there is no queue {0} in this account and region. `dead-letters queues` lists those that \
         have dead letters"
    )]
    Unknown(String),
    /// There each read counts as a delivery, and the last one moves the message.
    #[error(
        "{queue} has a redrive policy: to read it would use up deliveries of its messages. Its \
         dead-letter queue is {target}"
    )]
    HasRedrivePolicy { queue: String, target: String },
}

/// Finds a queue that may be read without harm.
pub(crate) async fn find(client: &Client, reference: &Reference) -> anyhow::Result<Queue> {
    let queue = target(client, reference).await?;
    if let Some(redrive) = &queue.redrive {
        let target = name_of(&redrive.dead_letter_target_arn).to_owned();
        return Err(NotReadable::HasRedrivePolicy { queue: queue.name, target }.into());
    }
    Ok(queue)
}

/// Finds a queue that is sent to.
pub(crate) async fn target(client: &Client, reference: &Reference) -> anyhow::Result<Queue> {
    let url = match reference {
        Reference::Url(url) => url.clone(),
        Reference::Name(name) => url(client, name).await?,
    };
    let attributes = attributes(client, &url).await.map_err(|error| unknown(&url, error))?;
    Ok(Queue::new(client, &url, &attributes))
}

async fn url(client: &Client, name: &str) -> anyhow::Result<String> {
    let answer = client.get_queue_url().queue_name(name).send().await;
    let answer = answer.map_err(|error| unknown(name, error))?;
    answer.queue_url.context("a queue has no URL")
}

/// What is known of a queue.
pub(super) async fn attributes(
    client: &Client,
    url: &str,
) -> Result<
    HashMap<Name, String>,
    SdkError<aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesError>,
> {
    let request = client.get_queue_attributes().queue_url(url).attribute_names(Name::All);
    Ok(request.send().await?.attributes.unwrap_or_default())
}

/// Whether an error says that there is no such queue.
pub(super) fn is_unknown(error: &impl ProvideErrorMetadata) -> bool {
    // By the JSON protocol and by the older one.
    let codes = ["QueueDoesNotExist", "NonExistentQueue"];
    error.code().is_some_and(|code| codes.iter().any(|known| code.ends_with(known)))
}

fn unknown<E>(queue: &str, error: SdkError<E>) -> anyhow::Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    if is_unknown(&error) {
        return NotReadable::Unknown(queue.to_owned()).into();
    }
    anyhow::Error::new(error).context(format!("reading the attributes of the queue {queue}"))
}
