//! What arrives is what the producer sent.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, MessageSystemAttributeNameForSends,
    MessageSystemAttributeValue,
};
use serde_json::json;
use tokio::time::timeout;

use super::fixture::{Replay, binary};
use crate::dead_letters::fixture::Fixture;
use crate::dead_letters::gateway::{Gateway, Later};

const LONG: Duration = Duration::from_mins(1);

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

#[tokio::test]
async fn large_messages_fit_into_the_requests_also_if_an_edit_made_them_large() {
    let large = "x".repeat(110_000);
    let as_it_was = Replay::journal(Fixture::standard().await);
    let edited = Replay::journal(Fixture::standard().await);
    for number in 0..20 {
        as_it_was.queues.put("", &format!("{number}{large}"), &[]).await;
    }
    edited.rejected_many("x", 20).await;
    let edit = ["--edit-jq", "\"\\(.)\" + \"x\" * 110000", "--no-schema"];
    let (code, report) = as_it_was.replay(&[]).await;
    assert_eq!((code, &report["counts"]["sent"]), (Some(0), &json!(20)), "{report}");
    let (code, report) = edited.replay(&edit).await;
    assert_eq!((code, &report["counts"]["sent"]), (Some(0), &json!(20)), "{report}");
    assert_eq!(as_it_was.consume().await.len(), 20);
    assert!(edited.consumed_bodies().await.iter().all(|body| body.len() > 110_000));
}

#[tokio::test]
async fn the_trace_header_and_the_group_of_a_standard_queue_are_as_they_were_sent() {
    let replay = Replay::journal(Fixture::standard().await);
    let url = &replay.queues.queue.url;
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";
    let value = MessageSystemAttributeValue::builder().data_type("String").string_value(header);
    let send = replay.queues.sqs.send_message().queue_url(url).message_body("order");
    let send = send.message_group_id("tenant-1").message_system_attributes(
        MessageSystemAttributeNameForSends::AwsTraceHeader,
        value.build().expect("an attribute"),
    );
    send.send().await.expect("sent");
    let before = replay.queues.receive(url, 0).await.remove(0).attributes.expect("attributes");
    assert_eq!(replay.queues.receive(url, 0).await.len(), 0, "it was moved");
    // The server keeps the header of a single message only, and not of a batch: so it is read on its way.
    let gateway = Gateway::start(&replay.queues.aws.endpoint, Later::Answered).await;
    let end = timeout(LONG, replay.start(&gateway.url, &[]).wait_with_output()).await;
    assert!(end.expect("an end").expect("an output").status.success());
    let exchanges = gateway.exchanges();
    let batch = exchanges.iter().find(|exchange| exchange.action == "SendMessageBatch");
    let entry = &batch.expect("a batch").request["Entries"][0];
    let name = MessageSystemAttributeName::AwsTraceHeader;
    assert_eq!(before[&name], header);
    assert_eq!(entry["MessageSystemAttributes"][name.as_str()]["StringValue"], header);
    let arrived = replay.queues.receive(url, 0).await.remove(0).attributes.expect("attributes");
    assert_eq!(arrived[&MessageSystemAttributeName::MessageGroupId], "tenant-1");
}
