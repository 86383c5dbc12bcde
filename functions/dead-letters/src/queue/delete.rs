//! Deletes messages that are held.

use anyhow::Context as _;
use aws_sdk_sqs::types::DeleteMessageBatchRequestEntry;

use super::Queue;
use super::limits::DELETES;

/// Deletes messages, ten at most, by their ids and receipt handles. Returns the ids of those that SQS did
/// not delete.
pub(crate) async fn delete(
    queue: &Queue,
    mut held: Vec<(String, String)>,
) -> anyhow::Result<Vec<String>> {
    for _ in 0..DELETES {
        if held.is_empty() {
            break;
        }
        let entry = |(index, (_, handle)): (usize, &(String, String))| {
            DeleteMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(handle)
                .build()
        };
        let entries = held.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
        let request = queue.client.delete_message_batch().queue_url(&queue.url);
        let answer = request.set_entries(Some(entries)).send().await;
        let answer = answer.with_context(|| format!("deleting messages of {}", queue.name))?;
        let failed = answer.failed().iter();
        let failed =
            failed.filter_map(|entry| held.get(entry.id().parse::<usize>().ok()?).cloned());
        held = failed.collect();
    }
    Ok(held.into_iter().map(|(id, _)| id).collect())
}
