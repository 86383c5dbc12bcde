//! Whatever the domain accepts is sent as it is: in characters that SQS takes, in its size, and it
//! comes back equal.

use domain::{Action, Actor, Command, Decision, decide};
use events::{CommandEvent, EventId, FactPayload, FactRecord, MAX_BYTES, Source};
use events::{decode, decode_fact, encode_command, encode_fact};
use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::to_raw_value;
use test_values::hostile;

/// AWS's rule for the body of a message and for the value of an attribute, which not every server
/// that stands in for AWS enforces.
fn is_taken(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn assert_sendable(body: &str) {
    assert!(body.chars().all(is_taken), "{body:?}");
    assert!(body.len() <= MAX_BYTES, "{} bytes", body.len());
}

/// A new task, as command and as fact.
fn assert_comes_back(task: Value) {
    let command = Command {
        tenant: "acme".parse().expect("a tenant"),
        task: "0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10".parse().expect("an identifier"),
        action: Action::Create(serde_json::from_value(task).expect("a task")),
    };
    let event = CommandEvent {
        id: EventId::try_from("~".repeat(EventId::MAX)).expect("an id"),
        source: Source::try_from("\"".repeat(Source::MAX)).expect("a source"),
        command,
        caller: None,
        idempotency_key: None,
        traceparent: None,
    };
    let now = "2026-01-31T09:30:00.123456Z".parse().expect("a time");
    let body = encode_command(&event, now).expect("an event");
    assert_sendable(&body);
    assert_eq!(decode(&body).expect("a command").command, event.command);

    let decided = decide(None, &event.command, now).expect("a decision");
    let Decision::Changed { task, .. } = decided else { panic!("nothing changed") };
    let body = encode_fact(&FactRecord {
        id: task.id.as_uuid(),
        tenant: task.tenant.clone(),
        task: task.id,
        kind: "dev.task-app.task.created.v1".to_owned(),
        data: to_raw_value(&task).expect("JSON"),
        actor: Some("ann".parse().expect("an actor")),
        traceparent: None,
        occurred_at: now,
    });
    let body = body.expect("an event");
    assert_sendable(&body);
    let fact = decode_fact(&body).expect("a fact");
    assert_eq!(fact.actor.as_ref().map(Actor::as_str), Some("ann"));
    assert_eq!((fact.payload, fact.time), (FactPayload::Task(Box::new(task)), now));
}

proptest! {
    #[test]
    fn a_task_that_is_accepted_is_sent_and_comes_back_equal(task in hostile::new_task()) {
        assert_comes_back(task);
    }
}

#[test]
fn the_largest_task_fits_into_a_message() {
    assert_comes_back(hostile::largest_task());
}

#[test]
fn the_key_of_a_request_is_believed_only_of_the_api_and_of_its_caller() {
    let command = Command {
        tenant: "acme".parse().expect("a tenant"),
        task: "0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10".parse().expect("an identifier"),
        action: Action::Create(serde_json::from_str("{\"title\": \"A\"}").expect("a task")),
    };
    let ann: Actor = "ann".parse().expect("a caller");
    let event_id = |id: &str| EventId::try_from(id.to_owned()).expect("an id");
    let decoded = |source: Source, id: &str, caller: &Actor| {
        let event = CommandEvent {
            id: event_id(id),
            source,
            command: command.clone(),
            caller: Some(caller.clone()),
            idempotency_key: Some(event_id("order-17")),
            traceparent: None,
        };
        let now = "2026-01-31T09:30:00.123456Z".parse().expect("a time");
        let body = encode_command(&event, now).expect("an event");
        decode(&body).expect("a command").idempotency_key
    };
    let own = ann.own_key("order-17");
    assert_eq!(decoded(Source::http(), &own, &ann), Some(event_id("order-17")));
    assert_eq!(decoded(Source::http(), "order-18", &ann), None, "edited");
    assert_eq!(decoded(Source::http(), &own, &"bob".parse().expect("a caller")), None);
    let other = Source::try_from("/billing".to_owned()).expect("a source");
    assert_eq!(decoded(other, &own, &ann), None);
}
