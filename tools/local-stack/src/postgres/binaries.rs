//! Finds PostgreSQL's programs: where `POSTGRES_BIN_DIR` says, else in `PATH`, or where distributions
//! and Homebrew put them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The oldest major version that the schema works with: that of Ubuntu 22.04.
const MINIMUM_VERSION: u32 = 14;

/// The variable that names the folder with the programs to use.
const SETTING: &str = "POSTGRES_BIN_DIR";

/// Folders with a folder per version, each with the programs in `bin`.
const VERSIONED: [(&str, &str); 3] = [
    ("/usr/lib/postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
];

/// Whether a server that is new enough is there.
#[must_use]
pub(crate) fn is_installed() -> bool {
    find(None).is_ok()
}

/// The folder with the programs of the newest version, or of exactly `major`.
pub(super) fn find(major: Option<u32>) -> Result<PathBuf> {
    let mut found: Vec<_> = candidates()
        .into_iter()
        .filter_map(|folder| Some((version(&folder)?, folder)))
        .filter(|(version, _)| *version >= MINIMUM_VERSION && major.is_none_or(|m| m == *version))
        .collect();
    found.sort();
    found.pop().map(|(_, folder)| folder).with_context(|| match major {
        Some(major) => format!(
            "the data is that of PostgreSQL {major}, which is not installed: install \
             postgresql-{major}, or remove the data with `make clean-state`"
        ),
        None => format!(
            "no PostgreSQL server of version {MINIMUM_VERSION} or newer found, in the folder of \
             {SETTING} if that is set: `cargo run -p local-stack -- install` installs one"
        ),
    })
}

/// Folders that may hold the programs.
fn candidates() -> Vec<PathBuf> {
    if let Some(folder) = std::env::var_os(SETTING).filter(|folder| !folder.is_empty()) {
        return vec![folder.into()];
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    for (parent, prefix) in VERSIONED {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let versions =
            entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        folders.extend(versions.map(|entry| entry.path().join("bin")));
    }
    folders
}

/// The major version of the server in `folder`, if one is there with its `initdb`.
fn version(folder: &Path) -> Option<u32> {
    let server = folder.join("postgres");
    if !server.is_file() || !folder.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(server).arg("--version").output().ok()?;
    major(&String::from_utf8_lossy(&output.stdout))
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major(printed: &str) -> Option<u32> {
    let number =
        printed.split_whitespace().find(|word| word.starts_with(|c: char| c.is_numeric()))?;
    number.split(|c: char| !c.is_numeric()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_servers_print() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19devel"), Some(19));
        assert_eq!(major("command not found"), None);
    }
}
