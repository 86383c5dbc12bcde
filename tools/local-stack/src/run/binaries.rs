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
    /// The fastest build
    Local,
    /// Fast code, slow build: what ships
    Release,
    /// With line numbers in backtraces
    Dev,
}

/// Builds the binary, with cargo's own progress on the terminal, and returns its path.
pub(super) async fn build(profile: Profile) -> Result<PathBuf> {
    let target = target_folder()?;
    let (name, folder) = match profile {
        Profile::Local => ("local", "local"),
        Profile::Release => ("release", "release"),
        Profile::Dev => ("dev", "debug"),
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut program = Program::new("cargo build", cargo, repository());
    // sqlx must check queries against its committed data, not against the stack's database.
    program.environment = Environment::whole().with("SQLX_OFFLINE", "true");
    program.arguments = ["build", "--locked", "--profile", name].map(Into::into).into();
    // The packages of `make run`: another choice of packages is another choice of features, and would
    // build the dependencies again.
    let packages = ["--package", "task-app", "--package", "local-stack", "--bin", "task-app"];
    program.arguments.extend(packages.map(Into::into));
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
