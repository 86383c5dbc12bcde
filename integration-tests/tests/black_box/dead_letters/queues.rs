//! `dead-letters queues`: which queues have dead letters.

use aws_sdk_sqs::types::QueueAttributeName;
use local_stack::{create_fifo_queue, create_queue};
use serde_json::json;

use super::fixture::Fixture;

#[tokio::test]
async fn queues_with_dead_letters_are_listed_with_their_sources() {
    let fixture = Fixture::alone("eu-north-1", "orders").await;
    create_queue(&fixture.sqs, "empty", 3).await.expect("a queue");
    // A second queue with the same dead-letter queue.
    let second = create_fifo_queue(&fixture.sqs, "returns", 3).await.expect("a queue");
    let arn = "arn:aws:sqs:eu-north-1:000000000000:orders-dlq.fifo";
    let policy = json!({"deadLetterTargetArn": arn, "maxReceiveCount": 3}).to_string();
    // SQS refuses it to a queue that the dead-letter queue does not allow.
    let allow = json!({"redrivePermission": "allowAll"}).to_string();
    for (url, name, policy) in [
        (&fixture.queue.dead_letter_url, QueueAttributeName::RedriveAllowPolicy, allow),
        (&second.url, QueueAttributeName::RedrivePolicy, policy),
    ] {
        let set = fixture.sqs.set_queue_attributes().queue_url(url).attributes(name, policy);
        set.send().await.expect("set");
    }
    let messages: Vec<_> = (0..12).map(|number| ("g", number.to_string())).collect();
    fixture.fill(&messages).await;

    let listed = fixture.json(&["queues"]).await;
    let queues = listed[0]["queues"].as_array().expect("queues");
    assert_eq!(queues.len(), 1, "{queues:?}");
    let mut queue = queues[0].as_object().expect("an object").clone();
    assert!(queue.remove("oldest_sent_at").is_some_and(|time| time.is_string()));
    let expected = json!({
        "queue": "orders-dlq.fifo", "url": fixture.queue.dead_letter_url, "fifo": true,
        "depth": 12, "in_flight": 0, "oldest_is_exact": false,
        "sources": ["orders.fifo", "returns.fifo"],
    });
    assert_eq!(json!(queue), expected);
    assert_eq!(fixture.depth().await, (12, 0));

    let all = fixture.json(&["queues", "--all"]).await;
    let names: Vec<_> =
        all[0]["queues"].as_array().expect("queues").iter().map(|q| &q["queue"]).collect();
    assert_eq!(names, ["empty-dlq", "orders-dlq.fifo"]);
    let printed = fixture.printed(&["queues"]).await;
    assert!(printed.contains("orders.fifo, returns.fifo") && printed.contains("≥"), "{printed}");
}
