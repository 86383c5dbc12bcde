//! What arrives is what the producer sent.

use std::collections::HashMap;

use aws_sdk_sqs::types::MessageAttributeValue;
use serde_json::json;

use super::fixture::{Replay, binary};
use crate::dead_letters::fixture::Fixture;

fn text(value: &str) -> MessageAttributeValue {
    let text = MessageAttributeValue::builder().data_type("String.label").string_value(value);
    text.build().expect("an attribute")
}

#[tokio::test]
async fn the_body_and_all_attributes_are_as_they_were_sent() {
    let replay = Replay::journal(Fixture::fifo().await);
    let source = replay.queues.queue.url.rsplit('/').next().expect("a name");
    let body = " {\"b\":1e3 , \"ü\": \"\\u00fc\"}\n";
    let details = json!({
        "reason": "r", "message_id": "m", "queue": format!("arn:aws:sqs:x:1:{source}"),
        "attributes": {
            "text": {"type": "String.label", "value": "ü"},
            "bytes": {"type": "Binary", "value": "AP8="},
        },
    });
    let attributes =
        [("DeadLetterReason", "r"), ("DeadLetter", &details.to_string()), ("stayed", "1")];
    replay.queues.put("g", body, &attributes).await;

    let (code, report) = replay.replay(&[]).await;
    assert_eq!((code, &report["counts"]["sent"]), (Some(0), &json!(1)), "{report}");
    let messages = replay.consume().await;
    assert_eq!(messages.len(), 1);
    let message = &messages[0];
    assert_eq!(message.body.as_deref(), Some(body));
    let stayed = MessageAttributeValue::builder().data_type("String").string_value("1");
    let expected = HashMap::from([
        ("text".to_owned(), text("ü")),
        ("bytes".to_owned(), binary(&[0, 255])),
        ("stayed".to_owned(), stayed.build().expect("an attribute")),
    ]);
    assert_eq!(message.message_attributes, Some(expected));
    assert_eq!(replay.queues.depth().await, (0, 0));
}

#[tokio::test]
async fn what_sqs_moved_itself_goes_back_to_its_queue() {
    let replay = Replay::journal(Fixture::standard().await);
    let url = &replay.queues.queue.url;
    let send = replay.queues.sqs.send_message().queue_url(url).message_body("order");
    send.message_attributes("text", text("ü")).send().await.expect("sent");
    assert_eq!(replay.queues.receive(url, 0).await.len(), 1);
    assert_eq!(replay.queues.receive(url, 0).await.len(), 0, "it was moved");
    assert_eq!(replay.replay(&[]).await.0, Some(0));
    let messages = replay.consume().await;
    assert_eq!(messages.len(), 1);
    let message = &messages[0];
    assert_eq!(message.body.as_deref(), Some("order"));
    assert_eq!(message.message_attributes.as_ref().expect("one")["text"], text("ü"));
}
