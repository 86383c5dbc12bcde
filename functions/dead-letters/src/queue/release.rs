//! Makes messages visible again.

use anyhow::{Context as _, bail};
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use messages::is_gone;
use tokio::time::timeout;

use super::Queue;
use super::held::Held;
use super::limits::{LANES, PAGE, READING, RELEASES, VISIBILITY};

/// Releases all that is held: of each FIFO group the first message last.
pub(super) async fn release(queue: &Queue, held: Held) -> anyhow::Result<()> {
    // Later they are visible anyway.
    let released = timeout(VISIBILITY.saturating_sub(READING), async {
        for stage in held.stages() {
            release_all(queue, stage).await?;
        }
        anyhow::Ok(())
    });
    let released = released.await.context("it takes too long").flatten();
    released.with_context(|| {
        let minutes = VISIBILITY.as_secs() / 60;
        format!(
            "making messages of {} visible again; SQS does it in {minutes} minutes at the latest",
            queue.name
        )
    })
}

async fn release_all(queue: &Queue, mut handles: Vec<String>) -> anyhow::Result<()> {
    for _ in 0..RELEASES {
        let batches: Vec<_> = handles.chunks(PAGE).map(<[String]>::to_vec).collect();
        let failed = stream::iter(batches).map(|batch| release_batch(queue, batch));
        handles = failed.buffer_unordered(LANES).try_concat().await?;
        if handles.is_empty() {
            return Ok(());
        }
    }
    bail!("SQS does not release {} of them", handles.len())
}

/// Those that are still held after it.
async fn release_batch(queue: &Queue, handles: Vec<String>) -> anyhow::Result<Vec<String>> {
    let entry = |(index, handle): (usize, &String)| {
        ChangeMessageVisibilityBatchRequestEntry::builder()
            .id(index.to_string())
            .receipt_handle(handle)
            .visibility_timeout(0)
            .build()
    };
    let entries = handles.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
    let request = queue.client.change_message_visibility_batch().queue_url(&queue.url);
    let answer = request.set_entries(Some(entries)).send().await?;
    let held = answer.failed().iter().filter(|entry| !is_gone(entry));
    Ok(held.filter_map(|entry| handles.get(entry.id().parse::<usize>().ok()?).cloned()).collect())
}
