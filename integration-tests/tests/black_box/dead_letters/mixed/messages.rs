//! Dead letters of every kind, known by their numbers.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use futures::future::join_all;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::dead_letters::fixture::Fixture;
use crate::support::system::event;

/// Messages of a group, which has one kind: a receive brings two groups, and SQS hands out no more of a group
/// of which messages are in flight.
pub(super) const GROUP: usize = 5;
/// Bytes by which each body is longer: all bodies together are more than the tool may hold.
const PADDING: usize = 20_000;
/// Requests at a time.
const LANES: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Invalid,
    Unavailable,
    MovedBySqs,
    Foreign,
    Text,
    Claimed,
}

pub(super) const KINDS: [Kind; 6] =
    [Kind::Invalid, Kind::Unavailable, Kind::MovedBySqs, Kind::Foreign, Kind::Text, Kind::Claimed];

impl Kind {
    /// Of the message of that number.
    pub(super) fn of(number: usize) -> Self {
        KINDS[number / GROUP % KINDS.len()]
    }

    pub(super) fn body(self, number: usize) -> String {
        let text = format!("#{number}#{}", "x".repeat(PADDING));
        match self {
            Self::Text => format!("not JSON {text}"),
            Self::Foreign | Self::MovedBySqs => json!({"order": number, "text": text}).to_string(),
            _ => event(&number.to_string(), "create-task", &group(number), &json!({"title": text})),
        }
    }

    fn attributes(self, source: &str) -> BTreeMap<&'static str, String> {
        let rejected = |reason: &str| {
            let details = json!({"reason": reason, "queue": format!("arn:aws:sqs:x:1:{source}")});
            [("DeadLetterReason", reason.to_owned()), ("DeadLetter", details.to_string())]
        };
        let reference = json!({"bucket": "b", "key": "k", "size": 1, "sha256": "0".repeat(64)});
        match self {
            Self::Invalid => BTreeMap::from(rejected("schema_violation")),
            Self::Unavailable => {
                let attributes = rejected("database_unavailable").into_iter();
                attributes.chain([("sender", "ü".to_owned())]).collect()
            }
            Self::Claimed => {
                let attributes = rejected("claim_check_missing").into_iter();
                attributes.chain([("ClaimCheck", reference.to_string())]).collect()
            }
            _ => BTreeMap::new(),
        }
    }
}

pub(super) fn group(number: usize) -> String {
    format!("g{}", number / GROUP)
}

/// The number of the message with this body.
pub(super) fn number(body: &str) -> usize {
    let text = body.split('#').nth(1).expect("a number");
    text.parse().expect("a number")
}

/// Sends messages of all kinds, so many in all.
pub(super) async fn fill(queues: &Fixture, count: usize) {
    let groups = (0..count.div_ceil(GROUP)).map(|group| send(queues, group, count));
    stream::iter(groups).buffer_unordered(LANES).collect::<()>().await;
    // What was received once is moved by the next receive.
    join_all((0..LANES).map(|_| async {
        let mut empty = 0;
        while empty < 3 {
            let received = queues.receive(&queues.queue.url, 0).await;
            empty = if received.is_empty() { empty + 1 } else { 0 };
        }
    }))
    .await;
}

/// Sends a group in one request: so it stays in its order.
async fn send(queues: &Fixture, group_number: usize, count: usize) {
    let first = group_number * GROUP;
    let kind = Kind::of(first);
    let source = queues.queue.url.rsplit('/').next().expect("a name");
    let is_fifo = queues.queue.url.strip_suffix(".fifo").is_some();
    let attribute = |value: String| {
        let attribute = MessageAttributeValue::builder().data_type("String").string_value(value);
        attribute.build().expect("an attribute")
    };
    let entry = |number: usize| {
        let attributes = kind.attributes(source).into_iter();
        let attributes = attributes.map(|(name, value)| (name.to_owned(), attribute(value)));
        SendMessageBatchRequestEntry::builder()
            .id(number.to_string())
            .message_body(kind.body(number))
            .set_message_attributes(Some(attributes.collect()))
            .set_message_group_id(is_fifo.then(|| group(number)))
            .set_message_deduplication_id(is_fifo.then(|| number.to_string()))
            .build()
            .expect("an entry")
    };
    let is_moved = kind == Kind::MovedBySqs;
    let url = if is_moved { &queues.queue.url } else { &queues.queue.dead_letter_url };
    let entries = (first..count.min(first + GROUP)).map(entry).collect();
    let request = queues.sqs.send_message_batch().queue_url(url).set_entries(Some(entries));
    assert_eq!(request.send().await.expect("an answer").failed().len(), 0);
}

/// The numbers of messages in a file of `export`, with their kinds, each as it was sent.
pub(super) fn exported(line: &str) -> Option<usize> {
    let message: Value = serde_json::from_str(line).expect("JSON");
    if message["kind"] != "message" {
        return None;
    }
    let body = message["body"].as_str().expect("a body");
    let number = number(body);
    assert_eq!(body, Kind::of(number).body(number));
    Some(number)
}
