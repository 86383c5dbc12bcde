//! Where a stack keeps its state, as the command line says it.

use std::path::PathBuf;

use clap::Args;

use crate::state::local_folder;

/// Where the stack keeps its state.
#[derive(Debug, Clone, Args)]
pub(crate) struct Folder {
    /// Folder that keeps data, secrets and logs [default: .local/run]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

impl Folder {
    /// The folder that was given, or the default.
    pub(crate) fn path(&self) -> PathBuf {
        self.state.clone().unwrap_or_else(|| local_folder().join("run"))
    }
}
