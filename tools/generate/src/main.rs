//! Writes the contracts, which are made from the types that decode and from the routes that serve. Run
//! by `make generate`; a test fails when it was forgotten.

mod api;
mod events;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The text of each generated file, by its path in the repository.
type Files = BTreeMap<PathBuf, String>;

/// The schema of the event that the Lambda `dead-letters` takes.
const DEAD_LETTERS_EVENT: &str = "functions/dead-letters/event.schema.json";

fn main() -> anyhow::Result<()> {
    for (path, text) in files()? {
        let path = repository().join(path);
        let folder = path.parent().context("a file has a folder")?;
        fs::create_dir_all(folder)?;
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn files() -> anyhow::Result<Files> {
    let mut files = events::files()?;
    files.extend(api::files()?);
    let event = serde_json::to_string_pretty(&dead_letters::event_schema())? + "\n";
    files.insert(PathBuf::from(DEAD_LETTERS_EVENT), event);
    Ok(files)
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generated_files_are_up_to_date() {
        let files = files().unwrap();
        for (path, text) in &files {
            let found = fs::read_to_string(repository().join(path)).unwrap_or_default();
            assert!(found == *text, "run `make generate`: {} differs", path.display());
        }
        for entry in fs::read_dir(repository().join(events::SCHEMAS)).unwrap() {
            let path = Path::new(events::SCHEMAS).join(entry.unwrap().file_name());
            assert!(files.contains_key(&path), "{} belongs to no type", path.display());
        }
    }
}
