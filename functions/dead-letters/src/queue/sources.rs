//! The queues whose dead letters a queue gets.

use anyhow::Context as _;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;

use super::limits::{MOST_PAGES_OF_QUEUES, QUEUES_OF_A_PAGE};
use super::list::all;
use super::{Queue, Redrive};

/// The code of a server that does not know `ListDeadLetterSourceQueues`.
const UNKNOWN_ACTION: &str = "InvalidAction";

/// The queues that have `queue` as their dead-letter queue.
///
/// # Errors
/// When SQS does not answer.
pub(crate) async fn sources(queue: &Queue) -> anyhow::Result<Vec<Queue>> {
    let request = queue.client.list_dead_letter_source_queues().queue_url(&queue.url);
    let mut pages = request.max_results(QUEUES_OF_A_PAGE).into_paginator().send();
    let mut sources = Vec::new();
    for _ in 0..MOST_PAGES_OF_QUEUES {
        let Some(page) = pages.next().await else { break };
        let page = match page {
            Err(error) if error.code() == Some(UNKNOWN_ACTION) => return by_policies(queue).await,
            page => page.with_context(|| format!("listing the queues of {}", queue.name))?,
        };
        for url in page.queue_urls {
            let attributes = super::find::attributes(&queue.client, &url).await?;
            sources.push(Queue::new(&queue.client, &url, &attributes));
        }
    }
    Ok(sources)
}

/// The same, for a server without this action: by the redrive policies of all queues.
async fn by_policies(queue: &Queue) -> anyhow::Result<Vec<Queue>> {
    let (mut queues, _) = all(&queue.client).await?;
    let is_source = |redrive: &Redrive| redrive.dead_letter_target_arn == queue.arn;
    queues.retain(|source| source.redrive.as_ref().is_some_and(is_source));
    Ok(queues)
}
