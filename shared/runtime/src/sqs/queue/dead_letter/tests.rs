//! Nothing is lost, everything fits, and SQS takes it.

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::sqs::queue::{attributes::QueueAttributes, rules::Rules};

fn dead_letter(attributes: usize, detail: &str, fifo: bool) -> (DeadLetter, Value) {
    let queue = QueueAttributes {
        arn: "arn:aws:sqs:region:1:queue".to_owned(),
        rules: Rules { max_receive_count: 3, fifo },
        dead_letter_url: String::new(),
    };
    let at = DateTime::from_timestamp(1_700_000_001, 0).unwrap();
    let names = (0..attributes).map(|number| format!("attribute-{number:02}"));
    let delivery = Delivery::in_group("group", 2).with_attributes(names);
    let rejection = Rejection { queue: &queue, handler: "handler", at };
    let dead_letter =
        DeadLetter::pack(0, &delivery, &Reject::new("malformed", detail), &rejection, usize::MAX)
            .unwrap();
    let details = dead_letter.attributes[DETAILS].string_value().unwrap();
    let details = serde_json::from_str(details).unwrap();
    (dead_letter, details)
}

#[test]
fn says_what_an_operator_needs() {
    let (dead_letter, details) = dead_letter(1, "line 1", true);
    assert_eq!(dead_letter.body, "body");
    assert_eq!(dead_letter.attributes[REASON].string_value(), Some("malformed"));
    assert_eq!(dead_letter.attributes["attribute-00"].string_value(), Some("value"));
    let expected = serde_json::json!({
        "reason": "malformed", "detail": "line 1", "handler": "handler", "attempts": 2,
        "first_received_at": "2023-11-14T22:13:20.123000Z",
        "failed_at": "2023-11-14T22:13:21.000000Z",
        "message_id": "message", "queue": "arn:aws:sqs:region:1:queue", "group_id": "group",
    });
    assert_eq!(details, expected);
}

#[test]
fn keeps_the_group_and_names_the_duplicate_in_a_fifo_queue() {
    let fifo = dead_letter(0, "", true).0;
    assert_eq!(fifo.group_id.as_deref(), Some("group"));
    assert_eq!(fifo.deduplication_id.as_deref(), Some("message"));
    let standard = dead_letter(0, "", false).0;
    assert_eq!((standard.group_id, standard.deduplication_id), (None, None));
}

proptest! {
    #[test]
    fn no_attribute_is_lost_and_none_is_too_many(count in 0..=10_usize, detail in ".*") {
        let (dead_letter, details) = dead_letter(count, &detail, true);
        let spilled = details["attributes"].as_object().map_or(0, serde_json::Map::len);
        prop_assert!(dead_letter.attributes.len() <= MOST_ATTRIBUTES);
        prop_assert_eq!(dead_letter.attributes.len() + spilled, count + 2);
        prop_assert!(dead_letter.weight() < 10_000);
    }

    #[test]
    fn a_detail_is_bounded_and_printable(detail in "(.|\u{FFFF}|\u{FFFE}){0,600}") {
        let kept = printable(&detail);
        prop_assert!(kept.len() <= 3 * MOST_DETAIL_BYTES);
        let refused = ['\u{FFFE}', '\u{FFFF}'];
        prop_assert!(!kept.contains(refused));
    }
}
fn attributes() -> QueueAttributes {
    let rules = Rules { max_receive_count: 3, fifo: true };
    QueueAttributes { arn: String::new(), rules, dead_letter_url: String::new() }
}

fn pack(delivery: &Delivery, reject: &Reject, most: usize) -> DeadLetter {
    let queue = attributes();
    let rejection = Rejection { queue: &queue, handler: "handler", at: DateTime::UNIX_EPOCH };
    DeadLetter::pack(0, delivery, reject, &rejection, most).unwrap()
}

/// The dead letter, replayed as it is.
fn replayed(dead_letter: DeadLetter) -> Delivery {
    let message = aws_sdk_sqs::types::Message::builder().message_id("again");
    let message = message.receipt_handle("handle").body(dead_letter.body);
    message.set_message_attributes(Some(dead_letter.attributes)).build().try_into().unwrap()
}

fn names(delivery: &Delivery) -> Vec<&String> {
    originals(delivery).map(|(name, _)| name).collect()
}

proptest! {
    #[test]
    fn no_attribute_is_lost_over_many_replays(count in 0..=10_usize, replays in 1..4) {
        let names_of = (0..count).map(|number| format!("attribute-{number:02}"));
        let first = Delivery::in_group("group", 2).with_attributes(names_of);
        let mut delivery = first.clone();
        for _ in 0..replays {
            let dead_letter = pack(&delivery, &Reject::new("malformed", ""), usize::MAX);
            prop_assert!(dead_letter.attributes.len() <= MOST_ATTRIBUTES);
            delivery = replayed(dead_letter);
        }
        prop_assert_eq!(names(&delivery), names(&first));
    }

    #[test]
    fn a_dead_letter_fits_and_says_its_reason(
        attributes in 0..=10_usize, left in 0..3_000_usize, detail in ".{0,500}",
    ) {
        let names_of = (0..attributes).map(|number| format!("attribute-{number:02}"));
        let delivery = Delivery::in_group("group", 2).with_attributes(names_of);
        let most = delivery.bytes() + left;
        let dead_letter = pack(&delivery, &Reject::new("malformed", detail), most);
        prop_assert!(dead_letter.weight() <= most || dead_letter.extent == Extent::Bare);
        prop_assert!(dead_letter.attributes.len() <= MOST_ATTRIBUTES);
        let id = dead_letter.deduplication_id.clone().unwrap();
        let reason = dead_letter.attributes.get(REASON).and_then(|value| value.string_value());
        prop_assert!(reason == Some("malformed") || id.starts_with("malformed:"));
        let restored = names(&replayed(dead_letter)).len();
        prop_assert_eq!(restored, attributes);
    }

    #[test]
    fn sqs_takes_every_character(reason in "(.|[\u{0}-\u{1F}]|\u{FFFF}){0,40}") {
        let reason: &'static str = Box::leak(reason.into_boxed_str());
        let dead_letter = pack(&Delivery::with_body("body"), &Reject::new(reason, reason), usize::MAX);
        for value in dead_letter.attributes.values() {
            let value = value.string_value().unwrap();
            prop_assert!(!value.is_empty());
            prop_assert_eq!(&replaced(value), value);
        }
    }
}
