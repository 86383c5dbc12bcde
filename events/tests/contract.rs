//! The contract ring: what the schemas say, what `decode` does, and what the examples show are one.
#![expect(clippy::expect_used, clippy::panic, reason = "a test without its input has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use events::{CommandType, Reason, decode, schema};
use jsonschema::Validator;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn files(name: &str) -> BTreeMap<String, String> {
    fs::read_dir(folder(name))
        .expect("the folder exists")
        .map(|entry| entry.expect("a readable entry"))
        .map(|entry| {
            let name = entry.file_name().into_string().expect("an ASCII name");
            (name, fs::read_to_string(entry.path()).expect("a readable file"))
        })
        .collect()
}

fn validator(kind: CommandType) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(schema::of(kind).as_value())
        .expect("a valid schema")
}

fn kind_of(file: &str) -> CommandType {
    CommandType::ALL
        .into_iter()
        .find(|kind| file.starts_with(&format!("{kind}.")))
        .unwrap_or_else(|| panic!("{file} is not named after a type"))
}

#[test]
fn the_schema_files_are_up_to_date() {
    let expected: BTreeMap<_, _> = CommandType::ALL
        .into_iter()
        .map(|kind| (schema::file_name(kind), schema::file(kind).expect("a schema")))
        .collect();
    assert_eq!(files("schemas"), expected, "run `make generate`");
}

#[test]
fn every_schema_is_json_schema_2020_12() {
    for kind in CommandType::ALL {
        let schema = schema::of(kind);
        let draft = schema.get("$schema").and_then(Value::as_str);
        assert_eq!(draft, Some("https://json-schema.org/draft/2020-12/schema"));
        jsonschema::meta::validate(schema.as_value())
            .expect("a schema that its meta-schema allows");
    }
}

#[test]
fn valid_examples_are_valid() {
    for (file, body) in files("examples/valid") {
        let event: Value = serde_json::from_str(&body).expect("an example is JSON");
        let kind = kind_of(&file);
        assert_eq!(event.get("type"), Some(&json!(kind.as_str())), "{file}");
        if let Err(error) = validator(kind).validate(&event) {
            panic!("{file}: {error} at {}", error.instance_path());
        }
        decode(&body).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct Expected {
    reason: Reason,
    pointer: String,
}

#[test]
fn invalid_examples_get_their_reasons() {
    let reasons = fs::read_to_string(folder("examples/reasons.json")).expect("the reasons");
    let mut reasons: BTreeMap<String, Expected> =
        serde_json::from_str(&reasons).expect("a reason and a pointer for each file");
    for (file, body) in files("examples/invalid") {
        let error = decode(&body).expect_err(&file);
        let got = Expected { reason: error.reason, pointer: error.pointer };
        assert_eq!(Some(got), reasons.remove(&file), "{file}: {}", error.detail);
        if let Ok(event) = serde_json::from_str::<Value>(&body) {
            assert!(!validator(kind_of(&file)).is_valid(&event), "{file}");
        }
    }
    assert!(reasons.is_empty(), "reasons without a file: {reasons:?}");
}

#[test]
fn every_type_has_two_examples_of_each_kind() {
    for kind in CommandType::ALL {
        for name in ["examples/valid", "examples/invalid"] {
            let named = files(name).keys().filter(|file| file.starts_with(kind.as_str())).count();
            assert!(named >= 2, "{kind} has {named} in {name}");
        }
    }
}

/// A value for one member: mostly near what is allowed, sometimes far from it.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1..4_i64).prop_map(Value::from),
        "[ a-zA-Z\u{0}\u{1f}\u{7f}é-]{0,4}".prop_map(Value::from),
        prop_oneof![Just(199_usize), Just(200), Just(201), Just(10_000), Just(10_001)]
            .prop_map(|length| "é".repeat(length).into()),
        prop_oneof![Just(49_usize), Just(51), Just(63), Just(64), Just(100), Just(101), Just(128)]
            .prop_map(|length| "a".repeat(length).into()),
        "20[0-9]{2}-[01][0-9]-[0-3][0-9]".prop_map(Value::from),
        "20[0-9]{2}-0[1-9]-1[0-9][Tt ][012][0-9]:[0-5][0-9]:[0-5][0-9](Z|z|\\+01:00|)"
            .prop_map(Value::from),
        prop_oneof![Just("low"), Just("urgent"), Just("1.0"), Just("application/json")]
            .prop_map(Value::from),
        prop::collection::vec("[a-c]{0,2}", 0..3).prop_map(Value::from),
        (19..22_usize)
            .prop_map(|tags| (0..tags).map(|tag| Value::from(format!("t{tag}"))).collect()),
        Just(json!({})),
    ]
}

/// A valid example with one member replaced, added or taken away.
fn mutated() -> impl Strategy<Value = (CommandType, Value)> {
    let examples: Vec<_> = files("examples/valid").into_iter().collect();
    let member = prop_oneof![
        "(specversion|id|source|subject|time|datacontenttype|tenant|traceparent|data|ext)"
            .prop_map(|name| format!("/{name}")),
        "(title|description|priority|assignee|due_date|tags|expected_version|patch|x)"
            .prop_map(|name| format!("/data/{name}")),
        "(title|description|priority|assignee|due_date|tags|x)"
            .prop_map(|name| format!("/data/patch/{name}")),
    ];
    (prop::sample::select(examples), member, prop::option::of(value())).prop_map(
        |((file, body), pointer, value)| {
            let mut event: Value = serde_json::from_str(&body).expect("an example is JSON");
            let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a slash");
            if let Some(Value::Object(parent)) = event.pointer_mut(parent) {
                match value {
                    Some(value) => parent.insert(name.to_owned(), value),
                    None => parent.remove(name),
                };
            }
            (kind_of(&file), event)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn decode_accepts_what_the_schema_accepts((kind, event) in mutated()) {
        let decoded = decode(&event.to_string());
        let valid = validator(kind).is_valid(&event);
        prop_assert_eq!(decoded.is_ok(), valid, "{:?} for {}", decoded, event);
    }

    #[test]
    fn decode_never_panics(body in ".{0,200}") {
        let _ = decode(&body);
    }
}
