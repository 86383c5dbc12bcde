//! The queues of the account.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::{Value, json};

use super::{ByName, named, present};

type Attributes = HashMap<Name, String>;

/// Each queue with its dead-letter queue; every queue of the account is one or the other.
pub(super) async fn created(sqs: &Client) -> ByName {
    let mut all = BTreeMap::new();
    let listed = sqs.list_queues().send().await.expect("queues");
    for url in listed.queue_urls() {
        let request = sqs.get_queue_attributes().queue_url(url).attribute_names(Name::All);
        let attributes = request.send().await.expect("an answer").attributes.expect("attributes");
        all.insert(attributes[&Name::QueueArn].clone(), attributes);
    }
    let with_dead_letters: Vec<_> =
        all.values().filter(|queue| queue.contains_key(&Name::RedrivePolicy)).collect();
    assert_eq!(all.len(), 2 * with_dead_letters.len(), "{:?}", all.keys());
    with_dead_letters.into_iter().map(|queue| named(described(queue, &all))).collect()
}

fn described(queue: &Attributes, all: &BTreeMap<String, Attributes>) -> Value {
    let redrive = json_of(queue, &Name::RedrivePolicy);
    let dead_letters = &all[redrive["deadLetterTargetArn"].as_str().expect("an ARN")];
    assert_eq!(common(queue), common(dead_letters));
    let allow = json_of(dead_letters, &Name::RedriveAllowPolicy);
    assert_eq!(allow["sourceQueueArns"], json!([queue[&Name::QueueArn]]));

    let mut described = present(&common(queue));
    described.extend(present(&json!({
        "name": name(queue),
        "visibilityTimeoutSeconds": number(queue, &Name::VisibilityTimeout),
        "retentionSeconds": number(queue, &Name::MessageRetentionPeriod),
        "maxReceiveCount": redrive["maxReceiveCount"],
        "deadLetterQueue": {
            "name": name(dead_letters),
            "retentionSeconds": number(dead_letters, &Name::MessageRetentionPeriod),
            "redriveAllow": allow["redrivePermission"],
        },
    })));
    described.into()
}

/// What a queue shares with its dead-letter queue.
fn common(queue: &Attributes) -> Value {
    let sse = queue.get(&Name::SqsManagedSseEnabled).is_some_and(|enabled| enabled == "true");
    let fifo = queue.get(&Name::FifoQueue).is_some_and(|fifo| fifo == "true");
    let fifo = fifo.then(|| {
        json!({
            "deduplicationScope": queue[&Name::DeduplicationScope],
            "throughputLimit": queue[&Name::FifoThroughputLimit],
            "contentBasedDeduplication": queue[&Name::ContentBasedDeduplication] == "true",
        })
    });
    json!({
        "fifo": fifo,
        "maximumMessageBytes": number(queue, &Name::MaximumMessageSize),
        "encryption": sse.then_some("SSE-SQS"),
    })
}

fn name(queue: &Attributes) -> &str {
    queue[&Name::QueueArn].rsplit(':').next().expect("a name")
}

fn number(queue: &Attributes, name: &Name) -> u32 {
    queue[name].parse().expect("a number")
}

fn json_of(queue: &Attributes, name: &Name) -> Value {
    serde_json::from_str(&queue[name]).expect("JSON")
}
