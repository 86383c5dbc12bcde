//! The contract ring: what the schemas say, what `decode` does, and what the examples show are one.
#![expect(clippy::expect_used, clippy::panic, reason = "a test without its input has failed")]

mod claimed;
mod compatibility;
mod examples;
mod mutations;
mod schemas;
mod versions;
mod whole;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use events::{CommandType, schema};
use jsonschema::Validator;

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub(crate) fn files(name: &str) -> BTreeMap<String, String> {
    fs::read_dir(folder(name))
        .expect("the folder exists")
        .map(|entry| entry.expect("a readable entry"))
        .map(|entry| {
            let name = entry.file_name().into_string().expect("an ASCII name");
            (name, fs::read_to_string(entry.path()).expect("a readable file"))
        })
        .collect()
}

pub(crate) fn validator(kind: CommandType) -> Validator {
    validator_of(&schema::of_command(kind))
}

pub(crate) fn validator_of(schema: &schemars::Schema) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(schema.as_value())
        .expect("a valid schema")
}

pub(crate) fn kind_of(file: &str) -> CommandType {
    CommandType::ALL
        .into_iter()
        .find(|kind| file.starts_with(&format!("{kind}.")))
        .unwrap_or_else(|| panic!("{file} is not named after a type"))
}
