//! What the document says that a request's body may be, and what is read, are one: on bodies that are
//! nearly what they should be.

use domain::json::{Fault, parse_object};
use domain::{CreateTask, Expected, NewAttachment, TaskPatch};
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::select;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::examples::validator;
use crate::{committed, inlined};

/// Values for one member: of every type, and at the edge of what members may be.
fn value() -> impl Strategy<Value = Value> {
    let edge = [
        json!(null),
        json!(true),
        json!({}),
        json!([]),
        json!({"high": null}),
        json!(["a", "a"]),
        json!(["a", 7]),
        json!(0),
        json!(1.0),
        json!(1.5),
        json!(9_007_199_254_740_991_i64),
        json!(9_007_199_254_740_992_i64),
        json!(104_857_600),
        json!(104_857_601),
        json!("2026-02-29"),
        json!("2028-02-29"),
        json!("text/plain"),
        json!("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        json!("x".repeat(200)),
        json!("x".repeat(201)),
    ];
    prop_oneof![
        select(edge.to_vec()),
        select(vec!["low", "high", "now", "High", ""]).prop_map(Value::from),
        "[ a-zA-Z\u{0}\u{1f}\u{7f}/é-]{0,4}".prop_map(Value::from),
        prop::collection::vec("[a-c]{0,2}", 0..3).prop_map(Value::from),
        (19..22_usize).prop_map(|tags| (0..tags).map(|tag| json!(format!("t{tag}"))).collect()),
    ]
}

/// A body with some of its members replaced, added or removed; or something else altogether.
fn nearly(body: Value, members: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let change = (select(members), prop::option::of(value()));
    let changed = prop::collection::vec(change, 1..3).prop_map(move |changes| {
        let mut body = body.clone();
        for (member, value) in changes {
            let Some(object) = body.as_object_mut() else { continue };
            match value {
                Some(value) => object.insert(member.to_owned(), value),
                None => object.remove(member),
            };
        }
        body
    });
    prop_oneof![9 => changed, 1 => value()]
}

/// The schema of a component of the document.
fn schema(name: &str) -> Validator {
    let document = committed();
    validator(&inlined(&document, &document["components"]["schemas"][name]))
}

fn agree<T: DeserializeOwned>(name: &str, body: Value, members: &'static [&'static str]) {
    let schema = schema(name);
    assert!(schema.is_valid(&body), "{name}: {body}");
    proptest!(ProptestConfig::with_cases(1_000), |(body in nearly(body, members))| {
        let read = parse_object::<T>(body.to_string().as_bytes()).map(drop);
        prop_assert_eq!(read.is_ok(), schema.is_valid(&body), "{}: {:?} for {}", name, read, body);
        // It is JSON, whatever it is.
        prop_assert!(!matches!(read, Err(Fault::Syntax { .. })), "{:?} for {}", read, body);
    });
}

#[test]
fn a_new_task_is_what_the_document_says() {
    let body = json!({"title": "x", "priority": "low", "tags": ["a"], "due_date": "2026-02-01"});
    let members = &["title", "description", "priority", "assignee", "due_date", "tags", "x"];
    agree::<CreateTask>("CreateTask", body, members);
}

#[test]
fn a_patch_is_what_the_document_says() {
    let body = json!({"title": "x", "priority": "low", "due_date": null});
    let members = &["title", "description", "priority", "assignee", "due_date", "tags", "x"];
    agree::<TaskPatch>("TaskPatch", body, members);
}

#[test]
fn a_new_attachment_is_what_the_document_says() {
    let sha256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let body = json!({"name": "x", "content_type": "a/b", "size": 7, "sha256": sha256});
    let members = &["name", "content_type", "size", "sha256", "x"];
    agree::<NewAttachment>("NewAttachment", body, members);
}

#[test]
fn an_expected_version_is_what_the_document_says() {
    agree::<Expected>("Expected", json!({"expected_version": 3}), &["expected_version", "x"]);
}
