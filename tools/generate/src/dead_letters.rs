//! What programs need to know of `dead-letters`: the event that it takes as a Lambda, and what it prints with
//! `--json`.

use std::path::{Path, PathBuf};

use crate::Files;

pub(crate) const SCHEMAS: &str = "functions/dead-letters/schemas";
const EVENT: &str = "functions/dead-letters/event.schema.json";

pub(crate) fn files() -> anyhow::Result<Files> {
    let event = (PathBuf::from(EVENT), dead_letters::event_schema());
    let printed = dead_letters::json_schemas()
        .into_iter()
        .map(|(name, schema)| (Path::new(SCHEMAS).join(format!("{name}.schema.json")), schema));
    let text = |(path, schema)| Ok((path, serde_json::to_string_pretty(&schema)? + "\n"));
    std::iter::once(event).chain(printed).map(text).collect()
}
