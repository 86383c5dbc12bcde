//! What the document shows fits what it says.

use http_support::problems;
use jsonschema::Validator;
use runtime::http::ProblemType;
use serde_json::Value;

use crate::{committed, elements, inlined, members, operations};

pub(crate) fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

#[test]
fn every_schema_is_json_schema() {
    for (name, schema) in members(&committed()["components"]["schemas"]) {
        assert!(jsonschema::meta::is_valid(schema), "{name}");
    }
}

#[test]
fn every_example_fits_its_schema() {
    let document = committed();
    for (name, operation) in operations(&inlined(&document, &document)) {
        let bodies = members(&operation["requestBody"]["content"]);
        let answers = members(&operation["responses"]);
        let answered = answers.flat_map(|(_, answer)| members(&answer["content"]));
        for (_, content) in bodies.chain(answered) {
            let several = members(&content["examples"]).map(|(_, example)| &example["value"]);
            for example in content.get("example").into_iter().chain(several) {
                let valid = validator(&content["schema"]).validate(example);
                assert!(valid.is_ok(), "{name}: {example}: {valid:?}");
            }
        }
    }
}

#[test]
fn every_parameter_says_what_it_is_and_shows_one() {
    let document = committed();
    for (name, operation) in operations(&inlined(&document, &document)) {
        for parameter in elements(&operation["parameters"]) {
            let description = parameter["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{name}: {}", parameter["name"]);
            let valid = validator(&parameter["schema"]).validate(&parameter["example"]);
            assert!(valid.is_ok(), "{name}: {}: {valid:?}", parameter["name"]);
        }
    }
}

/// In what generators of clients make no code of, or code that does not compile.
#[test]
fn every_schema_is_one_that_clients_are_made_of() {
    let document = committed();
    for (name, schema) in members(&document["components"]["schemas"]) {
        let text = schema.to_string();
        assert!(!text.contains("\\\\p{"), "{name}: not every validator knows classes of Unicode");
        assert!(!text.contains("\"const\""), "{name}: an enum of names is `enum`");
        let beside = schema.get("properties").is_some() && schema.get("oneOf").is_some();
        assert!(!beside, "{name}: members beside alternatives are lost");
        for (member, schema) in members(&schema["properties"]) {
            assert!(schema.get("default").is_none(), "{name}.{member} would be always there");
        }
    }
}

#[test]
fn every_type_of_problem_is_known_to_the_schema() {
    let document = committed();
    let schema = &document["components"]["schemas"]["Problem"]["properties"]["type"];
    let listed: Vec<_> = elements(&schema["x-extensible-enum"]).filter_map(Value::as_str).collect();
    let known: Vec<_> = problems::every().map(ProblemType::urn).collect();
    assert_eq!(listed, known);
    assert!(schema.get("enum").is_none(), "a client that checks would refuse a new type");
    let description = schema["description"].as_str().unwrap_or_default();
    assert!(known.iter().all(|urn| description.contains(urn)), "{description}");
}

/// Fails for a point in time that is not written as all are, in `document` and below.
fn assert_times(document: &Value, found: &mut usize) {
    match document {
        Value::String(text) => {
            if let Some(time) = domain::timestamp(text) {
                assert_eq!(*text, domain::time::rfc3339(time));
                *found += 1;
            }
        }
        Value::Array(items) => items.iter().for_each(|item| assert_times(item, found)),
        Value::Object(members) => members.values().for_each(|item| assert_times(item, found)),
        _ => {}
    }
}

#[test]
fn every_time_that_is_shown_has_one_form() {
    let mut found = 0;
    assert_times(&committed(), &mut found);
    assert!(found > 10, "{found}");
}
