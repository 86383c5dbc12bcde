//! How fast ten thousand dead letters are replayed, beside what the server allows.

use std::time::Instant;

use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry};
use futures::future::join_all;
use serde_json::json;

use super::fixture::Replay;
use crate::dead_letters::fixture::Fixture;

const MESSAGES: usize = 10_000;
/// Rounds: in each, the server's limit and the replay are measured one after the other.
const ROUNDS: usize = 3;
/// Messages that are moved at a time, as the replay does it.
const LANES: usize = 16;

/// Moves all dead letters to their queue with the fewest requests, and without a record of anything.
async fn lane(queues: &Fixture) {
    let (from, to) = (&queues.queue.dead_letter_url, &queues.queue.url);
    loop {
        let page = queues.receive(from, 300).await;
        if page.is_empty() {
            return;
        }
        let send = |(index, message): (usize, &aws_sdk_sqs::types::Message)| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string());
            entry.set_message_body(message.body.clone()).build().expect("an entry")
        };
        let entries = page.iter().enumerate().map(send).collect();
        let request = queues.sqs.send_message_batch().queue_url(to);
        request.set_entries(Some(entries)).send().await.expect("sent");
        let delete = |(index, message): (usize, &aws_sdk_sqs::types::Message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.set_receipt_handle(message.receipt_handle.clone()).build().expect("an entry")
        };
        let entries = page.iter().enumerate().map(delete).collect();
        let request = queues.sqs.delete_message_batch().queue_url(from);
        request.set_entries(Some(entries)).send().await.expect("deleted");
    }
}

fn rate(since: Instant) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "it is a small number")]
    let messages = MESSAGES as f64;
    messages / since.elapsed().as_secs_f64()
}

#[expect(clippy::print_stdout, reason = "the figures are its result")]
async fn measured(name: &str, replay: &Replay) {
    for round in 0..ROUNDS {
        replay.rejected_many("x", MESSAGES).await;
        let begun = Instant::now();
        join_all((0..LANES).map(|_| lane(&replay.queues))).await;
        let limit = rate(begun);
        // From an empty queue, as at first.
        let purge = replay.queues.sqs.purge_queue().queue_url(&replay.queues.queue.url);
        purge.send().await.expect("purged");
        replay.rejected_many("x", MESSAGES).await;
        let begun = Instant::now();
        let (code, report) = replay.replay(&[]).await;
        let reached = rate(begun);
        assert_eq!((code, &report["counts"]["sent"]), (Some(0), &json!(MESSAGES)), "{report}");
        let purge = replay.queues.sqs.purge_queue().queue_url(&replay.queues.queue.url);
        purge.send().await.expect("purged");
        println!(
            "{name}, round {round}: the server allows {limit:.0} messages a second, the replay reaches \
             {reached:.0}: {:.2} of it",
            reached / limit
        );
    }
}

#[tokio::test]
#[ignore = "it takes minutes: make test-long"]
async fn ten_thousand_by_files() {
    measured("files", &Replay::journal(Fixture::standard().await)).await;
}

#[tokio::test]
#[ignore = "it takes minutes: make test-long"]
async fn ten_thousand_by_the_table() {
    measured("table", &Replay::table(Fixture::standard().await).await).await;
}
