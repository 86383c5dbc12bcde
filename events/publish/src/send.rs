//! Sending in batches, in order.

use anyhow::Context as _;
use aws_config::BehaviorVersion;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use events::{CommandEvent, MAX_BYTES};
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::Arguments;
use crate::input::Event;
use crate::report::Report;

/// What SQS takes in one request: messages, and bytes of all of them together.
const BATCH_MESSAGES: usize = 10;
const BATCH_BYTES: usize = 4 * MAX_BYTES;

/// A valid event and the FIFO identifiers that the contract asks for.
pub(crate) struct Outgoing {
    event: Event,
    group: String,
    deduplication: String,
}

impl Outgoing {
    pub(crate) fn new(event: Event, decoded: &CommandEvent) -> Self {
        let group = decoded.command.task.to_string();
        Self { event, group, deduplication: decoded.id.to_string() }
    }
}

/// Sends `events` in order. Stops at the first batch that the queue does not take at all, so that
/// no later command overtakes an earlier one.
pub(crate) async fn send(
    arguments: &Arguments,
    events: Vec<Outgoing>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let queue_url = arguments.queue_url.as_deref().context("--queue-url is missing")?;
    let client = Client::new(&aws_config::load_defaults(BehaviorVersion::latest()).await);
    let progress = ProgressBar::new(events.len() as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} sent, {eta} left")?);
    let mut events = events.into_iter().peekable();
    while events.peek().is_some() {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(next) = events.next_if(|next| {
            bytes += next.event.body.len();
            batch.len() < BATCH_MESSAGES && bytes <= BATCH_BYTES
        }) {
            batch.push(next);
        }
        progress.inc(batch.len() as u64);
        send_batch(&client, queue_url, batch, report).await?;
    }
    progress.finish_and_clear();
    Ok(())
}

async fn send_batch(
    client: &Client,
    queue_url: &str,
    batch: Vec<Outgoing>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut request = client.send_message_batch().queue_url(queue_url);
    for (index, outgoing) in batch.iter().enumerate() {
        let entry = SendMessageBatchRequestEntry::builder()
            .id(index.to_string())
            .message_body(&outgoing.event.body)
            .message_group_id(&outgoing.group)
            .message_deduplication_id(&outgoing.deduplication);
        request = request.entries(entry.build()?);
    }
    let answer = request.send().await.map_err(|error| {
        anyhow::anyhow!(
            "{}\nThe queue took {} events before that; publish all of them again: repeats do nothing",
            DisplayErrorContext(&error),
            report.sent()
        )
    })?;
    report.accept(answer.successful().len());
    for failed in answer.failed() {
        let place = failed.id().parse().ok().and_then(|index: usize| batch.get(index));
        let place = place.map_or("?", |outgoing| &outgoing.event.place);
        report.decline(place, failed.code(), failed.message().unwrap_or_default());
    }
    Ok(())
}
