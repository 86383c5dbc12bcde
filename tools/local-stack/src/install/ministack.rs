//! The pinned AWS-compatible server, in a private virtual environment below `.local/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::state::local_folder;

/// Every package with its hashes.
const REQUIREMENTS: &str = include_str!("../../ministack.requirements.txt");

fn folder() -> PathBuf {
    local_folder().join("ministack")
}

/// The interpreter that has the server installed.
pub(crate) fn python() -> PathBuf {
    folder().join("bin").join("python")
}

/// Installs the server, unless the very versions are there.
pub(super) fn install(report: &mut dyn FnMut(&str)) -> Result<()> {
    // Written last: an installation that was interrupted is done again.
    let stamp = folder().join("installed.requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(());
    }
    report("installing the AWS-compatible server (ministack, from PyPI, into .local/ministack)");
    if folder().exists() {
        fs::remove_dir_all(folder())?;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(folder()))?;
    let requirements = folder().join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS)?;
    run(Command::new(python())
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--require-hashes", "--no-deps", "--requirement"])
        .arg(&requirements))?;
    fs::rename(&requirements, &stamp)?;
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let program = Path::new(command.get_program()).display().to_string();
    let status = command.status().with_context(|| format!("running {program}"))?;
    if !status.success() {
        bail!(
            "the installation of the AWS-compatible server failed: {program} ended with {status}"
        );
    }
    Ok(())
}
