//! What each command does.

mod dump;
mod list;
mod prune;
mod restore;
mod verify;

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Command;

/// Runs a command.
pub(crate) async fn run(command: Command) -> Result<()> {
    match command {
        Command::Dump(arguments) => dump::run(arguments).await,
        Command::List(arguments) => list::run(&arguments).await,
        Command::Verify(arguments) => verify::run(arguments).await,
        Command::Restore(arguments) => restore::run(arguments).await,
        Command::Prune(arguments) => prune::run(&arguments).await,
        Command::Monitor { .. } => anyhow::bail!("a monitor has an async runtime of its own"),
    }
}

/// Waits for what ends a process. From now on these signals do not end it by themselves: something is to be
/// removed first.
fn interrupted() -> Result<impl Future<Output = anyhow::Error>> {
    let listen = |kind| signal(kind).context("listening to signals");
    let mut ctrl_c = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        let name = tokio::select! {
            _ = ctrl_c.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        };
        anyhow::anyhow!("interrupted by {name}")
    })
}
