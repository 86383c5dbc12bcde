//! An event source mapping's batches: the shape of the event, and of the answer.
//!
//! The answer names the messages that failed (`ReportBatchItemFailures` must be on in the mapping);
//! Lambda deletes the others. An empty name would stand for all of them, and so would an error: it
//! is kept for an event that names no message.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use lambda_runtime::LambdaEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::{
    runtime::{Fault, deadline_now, run},
    sqs_record::message,
};
use crate::sqs::{BatchHandler, Delivery, LambdaConsumer, Queue};

/// A batch as Lambda brings it. A record stays raw here, so that one that is unreadable takes no
/// other down.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(rename = "Records")]
    records: Vec<Value>,
}

/// A partial batch response.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub(super) batch_item_failures: Vec<ItemFailure>,
}

/// A message that must be handed out again.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemFailure {
    pub(super) item_identifier: String,
}

/// What an event's records came to, before any handler.
struct Reading {
    deliveries: Vec<Delivery>,
    /// The ids of those that were not read.
    unread: Vec<String>,
}

/// Handles batches until `shutdown`.
pub(crate) async fn serve<H: BatchHandler, Q: Queue>(
    consumer: LambdaConsumer<H, Q>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let consumer = Arc::new(consumer);
    let handle = move |LambdaEvent { payload, context }| {
        let consumer = Arc::clone(&consumer);
        async move { Ok::<_, Fault>(answer(&consumer, payload, deadline_now(&context)).await?) }
    };
    run(handle, shutdown).await
}

/// One event's answer. Fails if the batch is another queue's, or if a record has no id, for nothing
/// can be answered for it: then Lambda hands all of the batch out again.
pub(super) async fn answer<H: BatchHandler, Q: Queue>(
    consumer: &LambdaConsumer<H, Q>,
    event: Event,
    deadline: Instant,
) -> anyhow::Result<Answer> {
    check_source(&event, consumer.queue_arn())?;
    let Reading { deliveries, unread } = read(event, consumer.is_fifo())?;
    let mut failed = consumer.handle(deliveries, deadline).await;
    for id in unread {
        if !failed.contains(&id) {
            failed.push(id);
        }
    }
    let failure = |item_identifier| ItemFailure { item_identifier };
    Ok(Answer { batch_item_failures: failed.into_iter().map(failure).collect() })
}

/// Receipt handles and dead letters of another queue would go to the one that is configured.
fn check_source(event: &Event, queue: &str) -> anyhow::Result<()> {
    let sources = event.records.iter().filter_map(|raw| raw.get("eventSourceARN")?.as_str());
    let foreign = { sources }.find(|source| *source != queue);
    ensure!(
        foreign.is_none(),
        "the event source mapping brings messages of {}, and QUEUE_URL names {queue}: map the \
         function to the queue that QUEUE_URL names, or set QUEUE_URL to the queue that is mapped",
        foreign.unwrap_or_default()
    );
    Ok(())
}

/// Reads each record on its own. In a FIFO queue the first that is unreadable, whose group is not
/// known, blocks whatever follows it.
fn read(event: Event, fifo: bool) -> anyhow::Result<Reading> {
    let mut reading = Reading { deliveries: Vec::new(), unread: Vec::new() };
    for raw in event.records {
        let id = id_of(&raw).context("a record of the event has no messageId")?;
        let is_blocked = fifo && !reading.unread.is_empty();
        match record(raw) {
            Ok(delivery) if !is_blocked => reading.deliveries.push(delivery),
            Ok(_) => reading.unread.push(id),
            Err(error) => {
                error!(message_id = id, error = format!("{error:#}"), "a record is unreadable");
                reading.unread.push(id);
            }
        }
    }
    Ok(reading)
}

/// The delivery of one record of an event.
pub(crate) fn record(raw: Value) -> anyhow::Result<Delivery> {
    message(raw).and_then(Delivery::try_from)
}

fn id_of(record: &Value) -> Option<String> {
    let id = record.get("messageId")?.as_str()?;
    (!id.is_empty()).then(|| id.to_owned())
}
