//! What the document shows fits what it says.

use http_support::problems;
use jsonschema::Validator;
use runtime::http::ProblemType;
use serde_json::Value;

use crate::{committed, elements, inlined, members, operations};

fn validator(schema: &Value) -> Validator {
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
fn every_type_of_problem_is_known_to_the_schema() {
    let document = committed();
    let schema = &document["components"]["schemas"]["Problem"]["properties"]["type"];
    let listed: Vec<_> = elements(&schema["enum"]).filter_map(Value::as_str).collect();
    let known: Vec<_> = problems::every().map(ProblemType::urn).collect();
    assert_eq!(listed, known);
}
