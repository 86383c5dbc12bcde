//! Writes the facts about tasks to their history, in batches.

mod handler;

use std::{ffi::OsString, process::ExitCode};

use clap::Args;
use handler::FactHandler;
use records::{History, HistoryConfig};
use runtime::{Function, Service, aws, sqs};

#[derive(Debug, Args)]
#[group(skip)]
struct Config {
    #[command(flatten)]
    queue: sqs::Config,
    #[command(flatten)]
    history: HistoryConfig,
}

/// Its name.
pub const NAME: &str = env!("CARGO_PKG_NAME");
/// What it is for, in one line.
pub const ABOUT: &str = env!("CARGO_PKG_DESCRIPTION");

/// Runs the function with a command line, whose first argument is the program's name.
#[must_use]
pub fn run(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    Function::new(NAME, ABOUT).run_with(command_line, wire)
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let history = History::new(&aws::client_config().await, config.history);
    let handler = FactHandler::new(history.clone());
    service.depends_on("dynamodb", move || history.check()).sqs(config.queue, handler).await
}
