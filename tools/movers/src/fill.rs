//! Fills a queue with dead letters.

use anyhow::{Result, ensure};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use crate::queue::{PAGE, is_fifo};
use crate::{CONNECTIONS, at_once, letters};

/// Sends messages. In a FIFO queue each has a group of its own.
pub(crate) async fn fill(
    client: &Client,
    queue: &str,
    source: &str,
    messages: usize,
) -> Result<()> {
    at_once(CONNECTIONS, |connection| {
        let (client, queue, source) = (client.clone(), queue.to_owned(), source.to_owned());
        async move {
            for first in (connection * PAGE..messages).step_by(CONNECTIONS * PAGE) {
                let page = first..messages.min(first + PAGE);
                let entries: Result<Vec<_>> =
                    page.map(|number| entry(number, &queue, &source)).collect();
                let request = client.send_message_batch().queue_url(&queue);
                let answer = request.set_entries(Some(entries?)).send().await?;
                ensure!(answer.failed().is_empty(), "messages were refused: {:?}", answer.failed());
            }
            Ok(())
        }
    })
    .await
}

fn entry(number: usize, queue: &str, source: &str) -> Result<SendMessageBatchRequestEntry> {
    let is_fifo = is_fifo(queue);
    let id = number.to_string();
    let entry = SendMessageBatchRequestEntry::builder()
        .message_body(letters::body(number))
        .set_message_attributes(Some(letters::attributes(number, Some(source))?))
        .set_message_group_id(is_fifo.then(|| letters::group(number)))
        .set_message_deduplication_id(is_fifo.then(|| id.clone()));
    Ok(entry.id(id).build()?)
}
