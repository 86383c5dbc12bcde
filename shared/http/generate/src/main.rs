//! Writes `shared/http/openapi.json` and `docs/problems.md`. Run by `make generate`; a test fails when
//! it was forgotten.

mod problems;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use http_support::contract::Document;

fn main() -> anyhow::Result<()> {
    for (path, text) in files()? {
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Every generated file.
fn files() -> anyhow::Result<[(PathBuf, String); 2]> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.."));
    let contract = task_writer::describe(task_reader::describe(Document::default()));
    Ok([
        (root.join("shared/http/openapi.json"), contract.json()?),
        (root.join("docs/problems.md"), problems::table()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_files_are_up_to_date() {
        for (path, text) in files().unwrap() {
            let found = fs::read_to_string(&path).unwrap_or_default();
            assert!(found == text, "run `make generate`: {} differs", path.display());
        }
    }
}
