//! How fast ten thousand dead letters are replayed, beside what the server allows.

use std::time::Instant;

use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, SendMessageBatchRequestEntry};
use chrono::Utc;
use futures::future::join_all;
use records::replays::{Message, MessageState, Replays};
use serde_json::json;

use super::fixture::Replay;
use crate::dead_letters::fixture::Fixture;

const MESSAGES: usize = 10_000;
/// Rounds: in each, the server's limit and the replay are measured one after the other.
const ROUNDS: usize = 3;
/// Messages that are moved at a time, as the replay does it.
const LANES: usize = 16;

/// Of what the server allows, in the best round: the replay also reads, selects and writes its record to the
/// disk, and its process is started meanwhile.
const LEAST: f64 = 0.2;

/// A ledger in a table, and a run in it.
type Ledger = (Replays, String);

/// Moves all dead letters to their queue with the fewest requests: those of a replay, with the same records.
async fn lane(queues: &Fixture, ledger: Option<&Ledger>) {
    let (from, to) = (&queues.queue.dead_letter_url, &queues.queue.url);
    loop {
        let page = queues.receive(from, 300).await;
        if page.is_empty() {
            return;
        }
        let records: Vec<_> = page.iter().map(record).collect();
        if let Some((table, run)) = ledger {
            table.claim(run, &records).await.expect("claimed");
        }
        let send = |(index, message): (usize, &aws_sdk_sqs::types::Message)| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string());
            entry.set_message_body(message.body.clone()).build().expect("an entry")
        };
        let entries = page.iter().enumerate().map(send).collect();
        let request = queues.sqs.send_message_batch().queue_url(to);
        request.set_entries(Some(entries)).send().await.expect("sent");
        if let Some((table, run)) = ledger {
            table.record(run, &records).await.expect("recorded");
        }
        let delete = |(index, message): (usize, &aws_sdk_sqs::types::Message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.set_receipt_handle(message.receipt_handle.clone()).build().expect("an entry")
        };
        let entries = page.iter().enumerate().map(delete).collect();
        let request = queues.sqs.delete_message_batch().queue_url(from);
        request.set_entries(Some(entries)).send().await.expect("deleted");
    }
}

/// What a ledger says of a message.
fn record(message: &aws_sdk_sqs::types::Message) -> Message {
    let id = message.message_id.clone().expect("an id");
    Message {
        message_id: id.clone(),
        first_id: id.clone(),
        state: MessageState::Sent,
        target: String::new(),
        event_id: None,
        sent_id: Some(id),
        edit: None,
        failure: None,
        sends: 1,
        at: Utc::now(),
    }
}

fn rate(since: Instant) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "it is a small number")]
    let messages = MESSAGES as f64;
    messages / since.elapsed().as_secs_f64()
}

#[expect(clippy::print_stdout, reason = "the figures are its result")]
async fn measured(name: &str, replay: &Replay, table: Option<Replays>) {
    let mut best: f64 = 0.0;
    for round in 0..ROUNDS {
        let ledger = table.clone().map(|table| (table, format!("limit-{round}")));
        replay.rejected_many("x", MESSAGES).await;
        let begun = Instant::now();
        join_all((0..LANES).map(|_| lane(&replay.queues, ledger.as_ref()))).await;
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
        best = best.max(reached / limit);
    }
    assert!(best >= LEAST, "{name}: {best:.2} of what the server allows");
}

#[tokio::test]
#[ignore = "it takes minutes: make test-long"]
async fn ten_thousand_by_files() {
    measured("files", &Replay::journal(Fixture::standard().await), None).await;
}

#[tokio::test]
#[ignore = "it takes minutes: make test-long"]
async fn ten_thousand_by_the_table() {
    let replay = Replay::table(Fixture::standard().await).await;
    let table = replay.replays();
    measured("table", &replay, table).await;
}
