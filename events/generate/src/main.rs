//! Writes `events/schemas/` and `events/asyncapi.yaml`. Run by `make generate`; a test fails when
//! it was forgotten.

mod asyncapi;
mod examples;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use events::schema;

fn main() -> anyhow::Result<()> {
    for (path, text) in files()? {
        let folder = path.parent().context("a file has a folder")?;
        fs::create_dir_all(folder)?;
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// The folder `events`.
fn contract() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every generated file.
fn files() -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let mut files = BTreeMap::new();
    for (kind, schema) in schema::all() {
        let path = contract().join("schemas").join(schema::file_name(kind));
        files.insert(path, serde_json::to_string_pretty(&schema)? + "\n");
    }
    files.insert(contract().join("asyncapi.yaml"), asyncapi::document()?);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_files_are_up_to_date() {
        let files = files().unwrap();
        for (path, text) in &files {
            let found = fs::read_to_string(path).unwrap_or_default();
            assert!(found == *text, "run `make generate`: {} differs", path.display());
        }
        for entry in fs::read_dir(contract().join("schemas")).unwrap() {
            let path = entry.unwrap().path();
            assert!(files.contains_key(&path), "{} belongs to no type", path.display());
        }
    }
}
