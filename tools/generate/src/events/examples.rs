//! The examples of a type, as the document shows them.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::repository;

/// The valid examples of the type `kind` in a folder below `events/examples`, by name.
pub(crate) fn of(kind: &str, folder: &str) -> anyhow::Result<Vec<Value>> {
    let mut examples = BTreeMap::new();
    for entry in fs::read_dir(repository().join("events/examples").join(folder))? {
        let path = entry?.path();
        let file = path.file_name().and_then(|name| name.to_str()).context("a name in UTF-8")?;
        let name = file.strip_prefix(kind).and_then(|rest| rest.strip_prefix('.'));
        if let Some(name) = name.and_then(|name| name.strip_suffix(".json")) {
            let text = fs::read_to_string(&path)?;
            let payload: Value =
                serde_json::from_str(&text).with_context(|| format!("reading {file}"))?;
            examples.insert(name.to_owned(), payload);
        }
    }
    let example = |(name, payload)| json!({ "name": name, "payload": payload });
    Ok(examples.into_iter().map(example).collect())
}
