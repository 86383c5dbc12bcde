//! How long messages stay invisible to others: longer, or no more.

use std::time::Duration;

use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use messages::is_gone;
use tokio::time::Instant;

use super::Queue;
use super::limits::{PAGE, seconds};

/// Messages, ten at most, by their ids and receipt handles.
pub(super) type Batch = Vec<(String, String)>;

pub(super) fn batches(receipts: &[(String, String)]) -> Vec<Batch> {
    receipts.chunks(PAGE).map(<[_]>::to_vec).collect()
}

/// Begins the visibility timeouts of messages anew. Returns the ids of those whose timeout has begun, and
/// when; the others are tried again later.
pub(super) async fn extend(
    queue: &Queue,
    batch: Batch,
    visibility: Duration,
) -> (Vec<String>, Instant) {
    let since = Instant::now();
    let extended = match change(queue, &batch, seconds(visibility)).await {
        Ok(failed) => {
            let is_extended = |place: &usize| !failed.iter().any(|(failed, _)| failed == place);
            let extended = (0..batch.len()).filter(is_extended);
            extended.filter_map(|place| batch.get(place)).map(|(id, _)| id.clone()).collect()
        }
        Err(_) => Vec::new(),
    };
    (extended, since)
}

/// Makes messages visible. Returns those that are still held after it.
///
/// # Errors
/// When SQS does not answer.
pub(super) async fn release(queue: &Queue, batch: &Batch) -> anyhow::Result<Batch> {
    let failed = change(queue, batch, 0).await?;
    let held = failed.into_iter().filter(|(_, is_held)| *is_held);
    Ok(held.filter_map(|(place, _)| batch.get(place).cloned()).collect())
}

/// The places of those whose visibility did not change, and whether they are still held.
async fn change(
    queue: &Queue,
    batch: &Batch,
    visibility: i32,
) -> anyhow::Result<Vec<(usize, bool)>> {
    let entry = |(index, (_, handle)): (usize, &(String, String))| {
        ChangeMessageVisibilityBatchRequestEntry::builder()
            .id(index.to_string())
            .receipt_handle(handle)
            .visibility_timeout(visibility)
            .build()
    };
    let entries = batch.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
    let request = queue.client.change_message_visibility_batch().queue_url(&queue.url);
    let answer = request.set_entries(Some(entries)).send().await?;
    let failed = answer.failed().iter();
    Ok(failed.filter_map(|entry| Some((entry.id().parse().ok()?, !is_gone(entry)))).collect())
}
