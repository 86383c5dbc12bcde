//! Applies command events from the queue to tasks, in batches.

mod handler;
mod operation_outcomes;
mod producers;

use std::{ffi::OsString, process::ExitCode};

use clap::Args;
use handler::CommandHandler;
use operation_outcomes::OperationOutcomes;
use producers::Producers;
use records::{Operations, OperationsConfig};
use runtime::{Function, Service, SystemClock, aws, sqs};
use store::Store;

#[derive(Debug, Args)]
#[group(skip)]
struct Config {
    #[command(flatten)]
    queue: sqs::Config,
    #[command(flatten)]
    store: store::Config,
    #[command(flatten)]
    operations: OperationsConfig,
    #[command(flatten)]
    producers: Producers,
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
    let store = Store::for_writes(&config.store).await?;
    let operations = Operations::new(&aws::client_config().await, config.operations);
    let outcomes = OperationOutcomes::new(operations.clone());
    let handler = CommandHandler::new(store.clone(), outcomes, config.producers, SystemClock);
    service
        .ready_when("postgresql", move || store.check_writable())
        .depends_on("dynamodb", move || operations.check())
        .sqs(config.queue.require_fifo()?, handler)
        .await
}
