//! What the tool prints with `--json` is what its schemas say: no more, and no less.

use std::collections::HashMap;
use std::fs;

use jsonschema::Validator;
use local_stack::repository;
use serde_json::Value;

/// Checks what a command line printed, an object for each line.
pub(crate) fn check_printed(arguments: &[String], printed: &str) {
    let mut known = HashMap::new();
    for line in printed.lines() {
        let value = serde_json::from_str(line).expect("JSON");
        let name = name(arguments, &value);
        let schema = known.entry(name.clone()).or_insert_with(|| schema(&name));
        assert_fits(schema, &name, &value);
    }
}

/// Checks one object.
pub(crate) fn check(name: &str, value: &Value) {
    assert_fits(&schema(name), name, value);
}

/// The name of the schema of what a command line prints.
fn name(arguments: &[String], value: &Value) -> String {
    let mut words = arguments.iter().map(String::as_str);
    let command = words.next().expect("a command");
    match command {
        "facts" => format!("facts-{}", words.next().expect("a command")),
        "replay" if words.any(|word| word == "--dry-run") => "replay-dry-run".to_owned(),
        // Of one run, its messages follow it.
        "runs" if value.get("run").is_none() => "runs-message".to_owned(),
        command => command.to_owned(),
    }
}

fn schema(name: &str) -> Validator {
    let file = format!("functions/dead-letters/schemas/{name}.schema.json");
    let text = fs::read_to_string(repository().join(&file)).expect(&file);
    let mut schema: Value = serde_json::from_str(&text).expect("JSON");
    // Readers must expect new members. A member that no schema has is a mistake of ours.
    schema["unevaluatedProperties"] = false.into();
    jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema")
}

fn assert_fits(schema: &Validator, name: &str, value: &Value) {
    let wrong: Vec<_> = schema
        .iter_errors(value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{name}: {wrong:?}: {value}");
}
