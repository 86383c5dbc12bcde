//! What takes messages out of a queue.

use anyhow::{Context as _, Result, ensure};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};

/// Messages of a request: the most that SQS allows.
pub(crate) const PAGE: usize = 10;

/// Whether its messages have groups.
pub(crate) fn is_fifo(url: &str) -> bool {
    url.strip_suffix(".fifo").is_some()
}

/// Messages with all that SQS knows of them; none if none is visible now.
pub(crate) async fn receive(client: &Client, url: &str) -> Result<Vec<Message>> {
    let request = client.receive_message().queue_url(url).message_attribute_names("All");
    let request = request
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .max_number_of_messages(i32::try_from(PAGE)?);
    let answer = request.send().await.context("receiving")?;
    Ok(answer.messages.unwrap_or_default())
}

/// Their receipt handles, for [`delete`].
pub(crate) fn receipts(messages: &[Message]) -> Vec<String> {
    messages.iter().filter_map(|message| message.receipt_handle.clone()).collect()
}

/// Deletes messages.
pub(crate) async fn delete(client: &Client, url: &str, receipts: Vec<String>) -> Result<()> {
    let entry = |(index, receipt): (usize, String)| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
        entry.receipt_handle(receipt).build()
    };
    let entries = receipts.into_iter().enumerate().map(entry).collect::<Result<_, _>>()?;
    let request = client.delete_message_batch().queue_url(url).set_entries(Some(entries));
    let answer = request.send().await.context("deleting")?;
    ensure!(answer.failed().is_empty(), "messages are not deleted: {:?}", answer.failed());
    Ok(())
}
