//! Builds `task-app`, the binary of all functions.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::environment::Environment;
use crate::process::{Process, Program};
use crate::state::repository;

/// A cargo profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Fast code, slow build: what ships
    Release,
    /// Fast build, for trying out a change
    Dev,
}

/// Builds the binary, with cargo's own progress on the terminal, and returns its path.
pub(super) async fn build(profile: Profile) -> Result<PathBuf> {
    let target = target_folder()?;
    let (name, folder) = match profile {
        Profile::Release => ("release", "release"),
        Profile::Dev => ("dev", "debug"),
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut program = Program::new("cargo build", cargo, repository());
    // sqlx must check queries against its committed data, not against the stack's database.
    program.environment = Environment::whole().with("SQLX_OFFLINE", "true");
    // Of the whole workspace, as the Makefile does: a choice of packages is a choice of features too,
    // and would build the dependencies again.
    let arguments = ["build", "--locked", "--workspace", "--bin", "task-app", "--profile", name];
    program.arguments = arguments.map(Into::into).into();
    program.arguments.extend(["--target-dir".into(), target.clone().into()]);
    Process::start(program)?.success().await.context("building the functions failed")?;
    Ok(target.join(folder).join("task-app"))
}

/// The target folder that this very program was built into.
fn target_folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.ancestors().nth(2).context("this program is in no target folder")?;
    Ok(folder.to_owned())
}
