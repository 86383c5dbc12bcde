//! What is sent is what was exported, and what SQS would not take is known before.

use std::collections::BTreeMap;

use aws_sdk_sqs::config::{BehaviorVersion, Config};

use super::*;
use crate::queue::Depth;

const MESSAGE: &str = "0f8b1a52-6d0e-4a57-9d7e-1c2f3a4b5c6d";

fn queue(is_fifo: bool) -> Queue {
    let config = Config::builder().behavior_version(BehaviorVersion::latest()).build();
    Queue {
        client: aws_sdk_sqs::Client::from_conf(config),
        name: "dlq".to_owned(),
        url: String::new(),
        arn: String::new(),
        is_fifo,
        depth: Depth { visible: 0, in_flight: 0, delayed: 0 },
        most_bytes: 1_000,
        redrive: None,
    }
}

fn text(value: &str) -> Attribute {
    Attribute { data_type: "String".to_owned(), value: value.to_owned() }
}

fn record(attributes: &[(&str, Attribute)]) -> Record {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Record {
        message_id: MESSAGE.to_owned(),
        sent_at: None,
        first_received_at: None,
        receives: Some(4),
        sender_id: None,
        group: Some("g".to_owned()),
        deduplication_id: Some("d".to_owned()),
        sequence_number: None,
        aws_trace_header: Some("Root=1".to_owned()),
        moved_by: None,
        source_queue: None,
        reason: None,
        attributes: attributes.collect(),
        body: "body".to_owned(),
    }
}

fn moved_by_sqs(attributes: &[(&str, Attribute)]) -> Record {
    let source_queue = Some("arn:aws:sqs:r:1:orders".to_owned());
    Record { moved_by: Some(MovedBy::Sqs), source_queue, ..record(attributes) }
}

fn details(outgoing: &Outgoing) -> Value {
    serde_json::from_str(outgoing.attributes[DETAILS].string_value().unwrap()).unwrap()
}

#[test]
fn a_message_is_sent_as_it_was() {
    let binary = Attribute { data_type: "Binary.x".to_owned(), value: "AP8=".to_owned() };
    let record = record(&[("a", text("1")), ("b", binary), (REASON, text("busy"))]);
    let outgoing = Outgoing::new(record.clone(), 7, &queue(true), "digest").unwrap();
    let entry = outgoing.entry().unwrap();
    assert_eq!((entry.id(), entry.message_body()), ("7", "body"));
    assert_eq!(entry.message_group_id(), Some("g"));
    let attributes: BTreeMap<_, _> = entry.message_attributes().unwrap().iter().collect();
    let attributes: BTreeMap<String, Attribute> =
        attributes.into_iter().map(|(name, value)| (name.clone(), value.into())).collect();
    assert_eq!(attributes, record.attributes);
    let header = &entry.message_system_attributes().unwrap()
        [&MessageSystemAttributeNameForSends::AwsTraceHeader];
    assert_eq!(header.string_value(), Some("Root=1"));

    let standard = Outgoing::new(record, 7, &queue(false), "digest").unwrap();
    let entry = standard.entry().unwrap();
    assert_eq!((entry.message_group_id(), entry.message_deduplication_id()), (Some("g"), None));
    assert_eq!(standard.ordered_group, None);
}

#[test]
fn a_line_of_a_file_always_has_the_same_deduplication_id() {
    let id = |record: &Record, line, digest| {
        let outgoing = Outgoing::new(record.clone(), line, &queue(true), digest).unwrap();
        outgoing.deduplication_id.unwrap()
    };
    let plain = record(&[]);
    let first = id(&plain, 2, "digest");
    assert_eq!(first, id(&plain, 2, "digest"));
    assert!(first != id(&plain, 3, "digest") && first != id(&plain, 2, "other"));
    // It had no room for an attribute.
    let bare = Record {
        reason: Some("too_large".to_owned()),
        deduplication_id: Some(format!("too_large:{MESSAGE}")),
        ..record(&[])
    };
    assert_eq!(id(&bare, 2, "digest"), format!("too_large:{first}"));
}

#[test]
fn what_sqs_moved_is_sent_with_its_source() {
    let outgoing = Outgoing::new(moved_by_sqs(&[]), 2, &queue(false), "").unwrap();
    assert!(!outgoing.lacks_source);
    let expected = json!({"queue": "arn:aws:sqs:r:1:orders", "message_id": MESSAGE, "attempts": 3});
    assert_eq!(details(&outgoing), expected);

    // It had been a dead letter before, with an attribute that had no room.
    let before = json!({"queue": "old", "reason": "busy", "attributes": {"a": {"type": "x"}}});
    let again = moved_by_sqs(&[(DETAILS, text(&before.to_string()))]);
    let again = details(&Outgoing::new(again, 2, &queue(false), "").unwrap());
    assert_eq!(again["queue"], expected["queue"]);
    assert_eq!((&again["reason"], &again["attributes"]), (&json!("busy"), &before["attributes"]));
}

#[test]
fn ten_attributes_leave_room_for_the_source() {
    let names: Vec<_> = (0..10).map(|number| format!("n{number}")).collect();
    let ten: Vec<_> = names.iter().map(|name| (name.as_str(), text("value"))).collect();
    let outgoing = Outgoing::new(moved_by_sqs(&ten), 2, &queue(false), "").unwrap();
    assert_eq!(outgoing.attributes.len(), 10);
    assert_eq!(details(&outgoing)["attributes"], json!({"n0": text("value")}));
}

#[test]
fn without_room_for_its_source_it_is_sent_as_it_was() {
    for record in [
        Record { body: "x".repeat(990), ..moved_by_sqs(&[]) },
        moved_by_sqs(&[(DETAILS, text("somebody else's"))]),
    ] {
        let outgoing = Outgoing::new(record.clone(), 2, &queue(false), "").unwrap();
        assert!(outgoing.lacks_source);
        assert_eq!(outgoing.attributes.len(), record.attributes.len());
    }
}

#[test]
fn what_does_not_fit_is_known() {
    let broken = Attribute { data_type: "Binary".to_owned(), value: "%".to_owned() };
    let eleven: Vec<_> = (0..11).map(|number| format!("n{number}")).collect();
    let eleven: Vec<_> = eleven.iter().map(|name| (name.as_str(), text("1"))).collect();
    for (record, expected) in [
        (Record { group: None, ..record(&[]) }, Unfit::NoGroup),
        (Record { body: String::new(), ..record(&[]) }, Unfit::Empty),
        (Record { body: "x".repeat(1_001), ..record(&[]) }, Unfit::TooLarge(1_001, 1_000)),
        (record(&[("a", broken)]), Unfit::Attribute("a".to_owned())),
        (record(&eleven), Unfit::Attributes(11)),
    ] {
        assert_eq!(Outgoing::new(record, 2, &queue(true), "").err(), Some(expected));
    }
    let no_group = Record { group: None, ..record(&[]) };
    assert!(Outgoing::new(no_group, 2, &queue(false), "").is_ok());
}
