//! The contract of the events: a JSON Schema for each type, and the AsyncAPI document.

mod asyncapi;
mod examples;

use std::path::{Path, PathBuf};

use events::schema;

use crate::Files;

pub(crate) const SCHEMAS: &str = "events/schemas";

pub(crate) fn files() -> anyhow::Result<Files> {
    let mut files = Files::new();
    for (kind, schema) in schema::all() {
        let path = Path::new(SCHEMAS).join(schema::file_name(kind));
        files.insert(path, serde_json::to_string_pretty(&schema)? + "\n");
    }
    files.insert(PathBuf::from("events/asyncapi.yaml"), asyncapi::document()?);
    Ok(files)
}
