//! How long messages stay invisible to others: longer, or no more.

use anyhow::{Context as _, bail};
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use messages::is_gone;
use tokio::time::{Instant, timeout};

use super::Queue;
use super::held::Held;
use super::limits::{LANES, PAGE, READING, RELEASES, VISIBILITY, seconds};

/// Begins the visibility timeouts of messages anew. Returns those whose timeout has begun, and when; the
/// others are tried again later.
pub(super) async fn extend(queue: &Queue, held: Vec<(String, String)>) -> (Vec<String>, Instant) {
    let since = Instant::now();
    let (mut ids, handles): (Vec<_>, Vec<_>) = held.into_iter().unzip();
    let failed = change(queue, handles, seconds(VISIBILITY)).await.ok();
    let failed = failed.unwrap_or_else(|| (0..ids.len()).map(|place| (place, true)).collect());
    let mut place = 0;
    ids.retain(|_| {
        place += 1;
        !failed.iter().any(|(failed, _)| failed + 1 == place)
    });
    (ids, since)
}

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
    let failed = change(queue, handles.clone(), 0).await?;
    let held = failed.into_iter().filter(|(_, is_held)| *is_held);
    Ok(held.filter_map(|(place, _)| handles.get(place).cloned()).collect())
}

/// The places of those whose visibility did not change, and whether they are still held.
async fn change(
    queue: &Queue,
    handles: Vec<String>,
    visibility: i32,
) -> anyhow::Result<Vec<(usize, bool)>> {
    let entry = |(index, handle): (usize, String)| {
        ChangeMessageVisibilityBatchRequestEntry::builder()
            .id(index.to_string())
            .receipt_handle(handle)
            .visibility_timeout(visibility)
            .build()
    };
    let entries = handles.into_iter().enumerate().map(entry).collect::<Result<_, _>>()?;
    let request = queue.client.change_message_visibility_batch().queue_url(&queue.url);
    let answer = request.set_entries(Some(entries)).send().await?;
    let failed = answer.failed().iter();
    Ok(failed.filter_map(|entry| Some((entry.id().parse().ok()?, !is_gone(entry)))).collect())
}
