//! The contract ring of the HTTP API: the document is sound, and keeps what was released.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test without its input has failed")]
#![expect(clippy::indexing_slicing, reason = "a test that looks for what is not there has failed")]

mod breaks;
mod compatibility;
mod document;
mod examples;
mod requests;

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

/// A file of `shared/http-support`, as JSON.
pub(crate) fn file(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/http-support").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The document, as it is committed.
pub(crate) fn committed() -> Value {
    file("openapi.json")
}

/// Every operation of a document, by method and path: `GET /v1/tasks`.
pub(crate) fn operations(document: &Value) -> Map<String, Value> {
    let mut operations = Map::new();
    for (path, item) in members(&document["paths"]) {
        for (method, operation) in members(item) {
            operations.insert(format!("{} {path}", method.to_uppercase()), operation.clone());
        }
    }
    operations
}

/// The members of an object; none of what is not there.
pub(crate) fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// The elements of an array; none of what is not there.
pub(crate) fn elements(array: &Value) -> impl Iterator<Item = &Value> {
    array.as_array().into_iter().flatten()
}

/// A part of the document with what it refers to in its place. (Nothing refers to itself.)
pub(crate) fn inlined(document: &Value, part: &Value) -> Value {
    match part {
        Value::Array(list) => list.iter().map(|part| inlined(document, part)).collect(),
        Value::Object(object) => {
            let mut whole = Map::new();
            if let Some(Value::String(reference)) = object.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                let target = document.pointer(pointer);
                let target = target.unwrap_or_else(|| panic!("{reference} leads nowhere"));
                whole.extend(inlined(document, target).as_object().cloned().unwrap());
            }
            let own = object.iter().filter(|(name, _)| *name != "$ref");
            whole.extend(own.map(|(name, part)| (name.clone(), inlined(document, part))));
            Value::Object(whole)
        }
        value => value.clone(),
    }
}
