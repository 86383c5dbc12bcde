//! What a queue says of itself.

use serde_json::{Value, json};

use crate::messages::NamedQueue;

pub(crate) const ACCOUNT: &str = "000000000000";

/// Those that it was given, and those that depend on its messages.
pub(crate) async fn all(queue: &NamedQueue, name: &str) -> Value {
    let mut attributes = queue.attributes.lock().await.clone();
    let (sent, waiting, in_flight) = queue.counts().await;
    attributes.extend([
        // Not of SQS: whoever measures cannot miss a message that is deleted at once.
        ("MessagesSent".to_owned(), sent.to_string()),
        ("QueueArn".to_owned(), arn(name)),
        ("ApproximateNumberOfMessages".to_owned(), waiting.to_string()),
        ("ApproximateNumberOfMessagesNotVisible".to_owned(), in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed".to_owned(), "0".to_owned()),
    ]);
    json!({ "Attributes": attributes })
}

/// Whether its dead letters go to the queue of this name.
pub(crate) async fn is_source(queue: &NamedQueue, dead_letter_queue: &str) -> bool {
    let attributes = queue.attributes.lock().await;
    let policy = attributes.get("RedrivePolicy").map_or("", String::as_str);
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    policy.get("deadLetterTargetArn").is_some_and(|target| *target == arn(dead_letter_queue))
}

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_redrive_policy_makes_a_source() {
        let policy = json!({ "deadLetterTargetArn": arn("dead.fifo"), "maxReceiveCount": 10 });
        let with = |policy: String| NamedQueue::new([("RedrivePolicy".to_owned(), policy)].into());
        let queue = with(policy.to_string());
        assert!(is_source(&queue, "dead.fifo").await);
        assert!(!is_source(&queue, "dead").await);
        assert!(!is_source(&with("none".to_owned()), "dead.fifo").await);
    }
}
