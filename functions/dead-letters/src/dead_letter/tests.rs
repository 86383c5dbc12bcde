//! What is read of messages of ours, of messages that SQS moved, and of others.

use aws_sdk_sqs::config::{BehaviorVersion, Config};
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeName as System};
use aws_sdk_sqs::{Client, types};
use serde_json::json;

use super::*;
use crate::queue::Depth;

const ID: &str = "0f8b1a52-6d0e-4a57-9d7e-1c2f3a4b5c6d";

fn queue() -> Queue {
    let config = Config::builder().behavior_version(BehaviorVersion::latest()).build();
    Queue {
        client: Client::from_conf(config),
        name: "dlq".to_owned(),
        url: String::new(),
        arn: String::new(),
        is_fifo: true,
        depth: Depth { visible: 1, in_flight: 0, delayed: 0 },
        most_bytes: 1_000,
        redrive: None,
    }
}

fn message(body: &str) -> types::builders::MessageBuilder {
    let message = Message::builder().message_id("m").receipt_handle("r").body(body);
    message
        .attributes(System::SentTimestamp, "1700000000123")
        .attributes(System::ApproximateReceiveCount, "6")
}

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}

fn read(message: types::builders::MessageBuilder) -> DeadLetter {
    DeadLetter::read(&message.build(), &queue())
}

#[test]
fn everything_that_the_runtime_wrote_is_read() {
    let details = json!({
        "reason": "schema_violation", "detail": "/data: no", "handler": "command-worker",
        "attempts": 2, "first_received_at": "2026-01-01T00:00:00.000Z",
        "failed_at": "2026-01-01T00:00:01.000Z", "message_id": ID,
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "queue": "arn:aws:sqs:r:1:orders.fifo",
        "group_id": "g", "attributes": {"spilled": {"type": "Binary", "value": "AP8="}},
    });
    let body = json!({"type": "t", "source": "/s", "id": "e", "subject": "task", "tenant": "acme"});
    let dead_letter = read(
        message(&body.to_string())
            .attributes(System::MessageGroupId, "g")
            .message_attributes(REASON, text("schema_violation"))
            .message_attributes(DETAILS, text(&details.to_string()))
            .message_attributes("kept", text("value")),
    );
    let printed = serde_json::to_value(&dead_letter).unwrap();
    let expected = json!({
        "message_id": "m", "sent_at": "2023-11-14T22:13:20.123000Z", "moved_by": "handler",
        "reason": "schema_violation", "detail": "/data: no", "attempts": 2,
        "source_queue": "orders.fifo", "group": "g", "type": "t", "source": "/s", "event_id": "e",
        "tenant": "acme", "task": "task", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "body_bytes": body.to_string().len(), "handler": "command-worker",
        "first_received_at": "2026-01-01T00:00:00.000Z", "failed_at": "2026-01-01T00:00:01.000Z",
        "original_message_id": ID, "deduplication_id": null, "claim_check": null,
        "attributes": {
            "kept": {"type": "String", "value": "value"},
            "spilled": {"type": "Binary", "value": "AP8="},
        },
        "body": body.to_string(),
    });
    assert_eq!(printed, expected);
    assert!(["m", ID, "e"].iter().all(|id| dead_letter.is(id)));
    assert!(!dead_letter.is("task"));
}

#[test]
fn what_sqs_moved_has_its_receives_and_its_queue() {
    let moved = message("{}").attributes(System::DeadLetterQueueSourceArn, "arn:aws:sqs:r:1:q");
    let Summary { moved_by, reason, attempts, source_queue, .. } = read(moved).summary;
    assert_eq!(moved_by, Some(MovedBy::Sqs));
    assert_eq!((reason, attempts, source_queue.as_deref()), (None, Some(5), Some("q")));
}

#[test]
fn a_message_of_others_is_read_as_far_as_it_says_something() {
    let bytes = MessageAttributeValue::builder().data_type("Binary");
    let bytes = bytes.binary_value(Blob::new([0, 255])).build().unwrap();
    let dead_letter = read(
        message("not JSON").message_attributes("b", bytes).message_attributes(DETAILS, text("[]")),
    );
    let Summary { moved_by, reason, attempts, r#type, .. } = &dead_letter.summary;
    assert_eq!((moved_by, reason, attempts, r#type), (&None, &None, &None, &None));
    assert_eq!(dead_letter.attributes["b"].value, "AP8=");
    assert_eq!(dead_letter.body, "not JSON");
}

#[test]
fn a_reason_without_room_for_an_attribute_is_read_of_an_id() {
    let id = |id: &str| (System::MessageDeduplicationId, id.to_owned());
    let group = |group: &str| (System::MessageGroupId, group.to_owned());
    let (long, short) = ("x".repeat(970), "x".to_owned());
    for (body, (name, value), expected) in [
        (&long, id(&format!("body_too_large:{ID}")), Some("body_too_large")),
        (&short, id(&format!("body_too_large:{ID}")), None),
        (&long, id("order:7"), None),
        (&long, id(ID), None),
        (&long, group("body_too_large"), Some("body_too_large")),
        (&short, group("body_too_large"), None),
    ] {
        let reason = read(message(body).attributes(name, &value)).summary.reason;
        assert_eq!(reason.as_deref(), expected, "{value}");
    }
}

#[test]
fn a_claim_check_and_the_trace_of_the_sender_are_read() {
    let reference = objects::claim_check::Reference::new("bodies", "key", b"abc");
    let context = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let dead_letter = read(
        message("{}")
            .message_attributes(objects::claim_check::ATTRIBUTE, text(&reference.to_json()))
            .message_attributes("traceparent", text(context)),
    );
    assert_eq!(dead_letter.claim_check, Some(reference));
    assert_eq!(dead_letter.summary.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
}
