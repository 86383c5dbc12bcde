//! The responses to an event source mapping.

use std::collections::HashSet;

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::{
    handle, ids,
    queue::{MOST_DELIVERIES, QUEUE_ARN, RecordingQueue},
    record,
};

const BODIES: [&str; 5] = ["ack", "retry", "reject", "bad", "hang"];

#[tokio::test(start_paused = true)]
async fn only_what_must_come_again_is_named_and_rejects_are_dead_letters() {
    let queue = RecordingQueue::new(false);
    let records = [
        record("1", "a", 1, "ack"),
        record("2", "a", 1, "retry"),
        record("3", "a", 1, "bad"),
        record("4", "a", 3, "retry"),
        record("5", "a", 1, "reject"),
    ];
    let answer = handle(&queue, &records).await.unwrap();
    assert_eq!(json!(answer), json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
    let invisible = queue.invisible();
    assert!(matches!(&invisible[..], [(handle, 1..)] if handle == "handle-2"), "{invisible:?}");
    let mut reasons: Vec<_> = queue
        .dead_letters()
        .iter()
        .map(|dead_letter| {
            dead_letter.attributes["DeadLetterReason"].string_value().unwrap().to_owned()
        })
        .collect();
    reasons.sort();
    assert_eq!(reasons, ["busy", "hopeless", "malformed"]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_has_the_record_s_body_and_attributes() {
    let queue = RecordingQueue::new(true);
    handle(&queue, &[record("1", "a", 2, "reject")]).await.unwrap();
    let dead_letter = &queue.dead_letters()[0];
    assert_eq!(dead_letter.body, "reject");
    assert_eq!(dead_letter.group_id.as_deref(), Some("a"));
    assert_eq!(dead_letter.attributes["text"].string_value(), Some("value"));
    assert_eq!(dead_letter.attributes["bytes"].binary_value().unwrap().as_ref(), [0, 255]);
    let details = dead_letter.attributes["DeadLetter"].string_value().unwrap();
    let details: Value = serde_json::from_str(details).unwrap();
    assert_eq!((&details["attempts"], &details["message_id"]), (&json!(2), &json!("1")));
    assert_eq!(details["first_received_at"], "2018-12-17T21:37:29.185000Z");
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_that_cannot_be_sent_is_named() {
    let queue = RecordingQueue::new(true);
    queue.fail_dead_letters();
    let records =
        [record("1", "a", 1, "bad"), record("2", "a", 1, "ack"), record("3", "b", 1, "ack")];
    assert_eq!(ids(&handle(&queue, &records).await.unwrap()), ["1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn the_rest_of_a_group_is_released_at_once_and_named() {
    let queue = RecordingQueue::new(true);
    let records = [
        record("1", "a", 1, "ack"),
        record("2", "b", 1, "ack"),
        record("3", "a", 1, "retry"),
        record("4", "a", 1, "ack"),
        record("5", "b", 1, "ack"),
    ];
    assert_eq!(ids(&handle(&queue, &records).await.unwrap()), ["3", "4"]);
    let invisible = queue.invisible();
    assert!(invisible[0].1 >= 1, "the retry backs off: {invisible:?}");
    assert_eq!(invisible[1], ("handle-4".to_owned(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_or_the_deadline_names_the_batch_but_not_what_was_rejected() {
    for mishap in ["panic", "hang"] {
        let queue = RecordingQueue::new(false);
        let records =
            [record("1", "a", 1, mishap), record("2", "a", 1, "bad"), record("3", "a", 1, "ack")];
        assert_eq!(ids(&handle(&queue, &records).await.unwrap()), ["1", "3"], "{mishap}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_record_takes_no_other_down() {
    let mut unreadable = record("2", "a", 1, "ack");
    unreadable["messageAttributes"]["bytes"]["binaryValue"] = json!("no Base64!");
    let records = [record("1", "a", 1, "ack"), unreadable, record("3", "b", 1, "ack")];
    let standard = handle(&RecordingQueue::new(false), &records).await.unwrap();
    assert_eq!(ids(&standard), ["2"]);
    let fifo = handle(&RecordingQueue::new(true), &records).await.unwrap();
    assert_eq!(ids(&fifo), ["2", "3"], "its group is not known: what follows must wait");
}

#[tokio::test(start_paused = true)]
async fn a_record_without_an_id_fails_the_invocation() {
    for id in [json!(null), json!(""), json!(7)] {
        let mut nameless = record("1", "a", 1, "ack");
        nameless["messageId"] = id;
        let records = [record("2", "a", 1, "ack"), nameless];
        assert!(handle(&RecordingQueue::new(false), &records).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn messages_of_another_queue_are_refused_before_any_is_handled() {
    let other = "arn:aws:sqs:local:123456789012:other.fifo";
    let mut foreign = record("1", "a", 1, "reject");
    foreign["eventSourceARN"] = json!(other);
    let queue = RecordingQueue::new(true);
    let records = [record("2", "b", 1, "reject"), foreign];
    let error = handle(&queue, &records).await.unwrap_err().to_string();
    assert!(error.contains(other) && error.contains(QUEUE_ARN), "{error}");
    assert!(queue.dead_letters().is_empty() && queue.invisible().is_empty());
}

/// A poison message of a group, and good ones behind it, all at their last delivery.
#[tokio::test(start_paused = true)]
async fn a_poison_message_at_its_last_delivery_takes_nothing_of_its_group_with_it() {
    for poison in ["panic", "hang", "retry"] {
        let queue = RecordingQueue::new(true);
        let good = (1..10).map(|number| record(&number.to_string(), "a", MOST_DELIVERIES, "ack"));
        let mut records = vec![record("0", "a", MOST_DELIVERIES, poison)];
        records.extend(good);
        let answer = handle(&queue, &records).await.unwrap();
        assert_eq!(ids(&answer), [""; 0], "{poison}: the good ones are acknowledged");
        assert_eq!(queue.dead_letter_ids(), ["0"], "{poison}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_batch_is_answered() {
    let answer = handle(&RecordingQueue::new(true), &[]).await.unwrap();
    assert_eq!(json!(answer), json!({"batchItemFailures": []}));
}

/// A message of the batch: group, deliveries, body.
type Sent = (&'static str, u32, &'static str);

fn check(fifo: bool, dead_letters_fail: bool, sent: &[Sent]) {
    let queue = RecordingQueue::new(fifo);
    if dead_letters_fail {
        queue.fail_dead_letters();
    }
    let id = |place: usize| format!("message-{place}");
    let record = |(place, sent): (usize, &Sent)| record(&id(place), sent.0, sent.1, sent.2);
    let records: Vec<_> = sent.iter().enumerate().map(record).collect();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    let answer = runtime.block_on(handle(&queue, &records)).unwrap();

    let named: HashSet<_> = ids(&answer).into_iter().collect();
    assert_eq!(named.len(), answer.batch_item_failures.len(), "no name twice");
    assert!(named.iter().all(|name| (0..sent.len()).any(|place| id(place) == *name)));
    let dead = queue.dead_letter_ids();
    let mut blocked = HashSet::new();
    for (place, (group, deliveries, body)) in sent.iter().enumerate() {
        let (id, is_last) = (id(place), *deliveries == MOST_DELIVERIES);
        let (is_named, is_dead) = (named.contains(id.as_str()), dead.contains(&id));
        assert!(!(is_named && is_dead), "what is in the dead-letter queue is done with");
        assert!(is_named || is_dead || *body == "ack", "nothing is lost");
        if fifo && blocked.contains(group) {
            assert!(is_named || is_dead || is_last, "the later messages of a group wait");
        }
        // After its last delivery a message does not come again: nothing waits for it.
        if is_named && !is_last {
            blocked.insert(group);
        }
    }
}

proptest! {
    #[test]
    fn any_verdicts_make_a_valid_partial_batch_response(
        fifo: bool,
        dead_letters_fail: bool,
        sent in prop::collection::vec(
            (select(&["a", "b", "c"]), 1..=MOST_DELIVERIES, select(&BODIES)), 0..12,
        ),
    ) {
        check(fifo, dead_letters_fail, &sent);
    }
}
