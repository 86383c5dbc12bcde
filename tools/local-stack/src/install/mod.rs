//! Installs what the stack needs and the machine lacks, and says what.

pub(crate) mod ministack;
mod packages;

use anyhow::Result;

use crate::state::{Lock, local_folder};

/// Installs all that is missing: PostgreSQL's server, Redis and Python's `venv` from the
/// system's packages, the AWS-compatible server into `.local/`. Blocks, and may ask for the
/// password of `sudo` on the terminal.
pub(crate) fn install(report: &mut dyn FnMut(&str)) -> Result<()> {
    let _lock = Lock::wait(&local_folder().join("install.lock"))?;
    packages::install(report)?;
    ministack::install(report)
}
