//! Writes the contracts, which are made from the types that decode and from the routes that serve. Run
//! by `make generate`; a test fails when it was forgotten.

mod api;
mod dead_letters;
mod events;
mod metrics;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The text of each generated file, by its path in the repository.
type Files = BTreeMap<PathBuf, String>;

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
    files.extend(dead_letters::files()?);
    files.extend(metrics::files()?);
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
        for folder in [events::SCHEMAS, dead_letters::SCHEMAS] {
            for entry in fs::read_dir(repository().join(folder)).unwrap() {
                let path = Path::new(folder).join(entry.unwrap().file_name());
                assert!(files.contains_key(&path), "{} belongs to no type", path.display());
            }
        }
    }
}
