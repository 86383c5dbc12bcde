//! Every dead-letter queue, by the redrive policies of the queues that SQS lists.
//!
//! A queue and its dead-letter queue are of one account and region. So these policies say the same as
//! `ListDeadLetterSourceQueues` of each queue would, in no more requests.

use std::collections::BTreeMap;

use anyhow::Context as _;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::find::{attributes, is_unknown};
use super::limits::{LANES, MOST_PAGES_OF_QUEUES, QUEUES_OF_A_PAGE};
use super::{Queue, name_of};

/// Begins the code of an error that says that a permission is missing.
const DENIED: &str = "AccessDenied";

/// A dead-letter queue, and the names of the queues whose messages it gets.
#[derive(Debug)]
pub(crate) struct DeadLetterQueue {
    pub(crate) queue: Queue,
    pub(crate) sources: Vec<String>,
}

/// The dead-letter queues of an account and region.
pub(crate) struct Listed {
    /// By name.
    pub(crate) found: Vec<DeadLetterQueue>,
    /// Queues that may not be read.
    pub(crate) denied: usize,
}

/// What is known of a queue that SQS listed.
enum Read {
    Queue(Box<Queue>),
    Denied,
    /// It was deleted meanwhile.
    Gone,
}

pub(crate) async fn list(client: &Client) -> anyhow::Result<Listed> {
    let (queues, denied) = all(client).await?;
    Ok(Listed { found: dead_letter_queues(queues), denied })
}

/// Every queue that may be read, and how many may not.
pub(super) async fn all(client: &Client) -> anyhow::Result<(Vec<Queue>, usize)> {
    let urls = urls(client).await?;
    let reads = stream::iter(urls).map(|url| read(client, url)).buffer_unordered(LANES);
    let (mut queues, mut denied) = (Vec::new(), 0);
    for read in reads.try_collect::<Vec<_>>().await? {
        match read {
            Read::Queue(queue) => queues.push(*queue),
            Read::Denied => denied += 1,
            Read::Gone => (),
        }
    }
    Ok((queues, denied))
}

/// Those that the redrive policy of another one names.
fn dead_letter_queues(queues: Vec<Queue>) -> Vec<DeadLetterQueue> {
    let mut sources: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for queue in &queues {
        if let Some(redrive) = &queue.redrive {
            let target = redrive.dead_letter_target_arn.clone();
            sources.entry(target).or_default().push(queue.name.clone());
        }
    }
    let found = queues.into_iter().filter_map(|queue| {
        let mut sources = sources.remove(&queue.arn)?;
        sources.sort();
        Some(DeadLetterQueue { queue, sources })
    });
    let mut found: Vec<_> = found.collect();
    found.sort_by(|one, other| one.queue.name.cmp(&other.queue.name));
    found
}

async fn urls(client: &Client) -> anyhow::Result<Vec<String>> {
    let mut pages = client.list_queues().max_results(QUEUES_OF_A_PAGE).into_paginator().send();
    let mut urls = Vec::new();
    for _ in 0..MOST_PAGES_OF_QUEUES {
        let Some(page) = pages.next().await else { break };
        urls.extend(page.context("listing queues")?.queue_urls.unwrap_or_default());
    }
    Ok(urls)
}

async fn read(client: &Client, url: String) -> anyhow::Result<Read> {
    match attributes(client, &url).await {
        Ok(attributes) => Ok(Read::Queue(Box::new(Queue::new(client, &url, &attributes)))),
        Err(error) if is_unknown(&error) => Ok(Read::Gone),
        Err(error) if error.code().is_some_and(|code| code.contains(DENIED)) => Ok(Read::Denied),
        Err(error) => {
            let name = name_of(&url);
            Err(error).with_context(|| format!("reading the attributes of the queue {name}"))
        }
    }
}
