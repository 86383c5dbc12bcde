//! Applies command events from the queue to tasks, in batches.

mod handler;

use std::process::ExitCode;

use clap::Args;
use handler::CommandHandler;
use runtime::{Function, Service, SystemClock, sqs};
use store::Store;

#[derive(Debug, Args)]
#[group(skip)]
struct Config {
    #[command(flatten)]
    queue: sqs::Config,
    #[command(flatten)]
    store: store::Config,
}

fn main() -> ExitCode {
    Function::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION")).run(wire)
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::connect(&config.store)?;
    let handler = CommandHandler::new(store.clone(), SystemClock);
    service.ready_when("postgresql", move || store.ping()).sqs(config.queue, handler).await
}
