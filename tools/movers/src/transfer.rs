//! Moves messages by the three requests for ten of them that nobody can do without, and by nothing else:
//! no record of what was sent, no order, no rate and no selection. A message is sent as it came.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, SendMessageBatchRequestEntry};

use crate::at_once;
use crate::queue::{delete, receipts, receive};

/// Until so many have been moved.
pub(crate) async fn all(
    client: &Client,
    from: &str,
    to: &str,
    messages: usize,
    connections: usize,
) -> Result<()> {
    let moved = Arc::new(AtomicUsize::new(0));
    at_once(connections, |_| {
        let (client, moved) = (client.clone(), Arc::clone(&moved));
        let (from, to) = (from.to_owned(), to.to_owned());
        async move {
            while moved.load(Ordering::Relaxed) < messages {
                moved.fetch_add(page(&client, &from, &to).await?, Ordering::Relaxed);
            }
            Ok(())
        }
    })
    .await
}

/// Ten messages at most. Returns how many.
async fn page(client: &Client, from: &str, to: &str) -> Result<usize> {
    let received = receive(client, from).await?;
    let (count, receipts) = (received.len(), receipts(&received));
    if count == 0 {
        return Ok(0);
    }
    let entries = received.into_iter().enumerate().map(entry).collect::<Result<_>>()?;
    let request = client.send_message_batch().queue_url(to).set_entries(Some(entries));
    let sent = request.send().await.context("sending")?;
    ensure!(sent.failed().is_empty(), "messages are refused: {:?}", sent.failed());
    delete(client, from, receipts).await?;
    Ok(count)
}

fn entry((index, message): (usize, Message)) -> Result<SendMessageBatchRequestEntry> {
    let mut system = message.attributes.unwrap_or_default();
    let entry = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(message.body.context("a message has a body")?)
        .set_message_attributes(message.message_attributes)
        .set_message_group_id(system.remove(&MessageSystemAttributeName::MessageGroupId));
    let deduplication_id = system.remove(&MessageSystemAttributeName::MessageDeduplicationId);
    Ok(entry.set_message_deduplication_id(deduplication_id).build()?)
}
