//! The examples are what they claim to be.

use std::collections::BTreeMap;
use std::fs;

use chrono::DateTime;
use events::{CommandType, FactType, Reason, decode, decode_fact, encode_command, schema};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{files, folder, kind_of, validator, validator_of};

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

#[test]
fn every_fact_has_two_examples_of_each_kind() {
    for kind in FactType::ALL {
        let validator = validator_of(&schema::of_fact(kind));
        for (name, valid) in [("examples/facts/valid", true), ("examples/facts/invalid", false)] {
            let mut found = 0;
            for (file, body) in files(name) {
                if !file.starts_with(&format!("{kind}.")) {
                    continue;
                }
                let event: Value = serde_json::from_str(&body).expect("an example is JSON");
                assert_eq!(validator.is_valid(&event), valid, "{file}");
                let decoded = decode_fact(&body);
                assert_eq!(decoded.is_ok(), valid, "{file}: {decoded:?}");
                found += 1;
            }
            assert!(found >= 2, "{kind} has {found} in {name}");
        }
    }
}

#[test]
fn a_command_is_encoded_as_it_is_decoded() {
    for (file, body) in files("examples/valid") {
        let read = |body: &str| decode(body).unwrap_or_else(|error| panic!("{file}: {error}"));
        let first = read(&body);
        let again = read(&encode_command(&first, DateTime::UNIX_EPOCH).expect("an event"));
        assert_eq!(
            (&first.id, &first.source, &first.command),
            (&again.id, &again.source, &again.command)
        );
        assert_eq!(first.traceparent, again.traceparent);
    }
}

#[test]
fn a_fact_may_gain_members() {
    let (file, body) = files("examples/facts/valid").pop_first().expect("an example");
    let mut event: Value = serde_json::from_str(&body).expect("an example is JSON");
    event["data"]["colour"] = json!("red");
    decode_fact(&event.to_string()).unwrap_or_else(|error| panic!("{file}: {error}"));
}

#[test]
fn a_published_fact_writes_every_time_alike() {
    for (file, body) in files("examples/facts/valid") {
        let event: Value = serde_json::from_str(&body).expect("an example is JSON");
        let members = ["created_at", "updated_at", "completed_at", "deleted_at"];
        let times = members.iter().map(|name| &event["data"][name]).chain([&event["time"]]);
        for text in times.filter_map(Value::as_str) {
            let time = domain::timestamp(text).unwrap_or_else(|| panic!("{file}: {text}"));
            assert_eq!(text, domain::time::rfc3339(time), "{file}");
        }
    }
}
