//! Writes the facts about tasks to their history, in batches.

mod handler;

use std::process::ExitCode;

use clap::Args;
use cloud::{History, HistoryConfig};
use handler::FactHandler;
use runtime::{Function, Service, aws, sqs};

#[derive(Debug, Args)]
#[group(skip)]
struct Config {
    #[command(flatten)]
    queue: sqs::Config,
    #[command(flatten)]
    history: HistoryConfig,
}

fn main() -> ExitCode {
    Function::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION")).run(wire)
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let history = History::new(&aws::client_config().await, config.history);
    let handler = FactHandler::new(history.clone());
    service.depends_on("dynamodb", move || history.check()).sqs(config.queue, handler).await
}
