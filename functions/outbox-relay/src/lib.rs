//! Publishes the facts of the outbox to queues: in order per task, at least once.

mod backoff;
mod config;
mod instruments;
mod message;
mod publish_cycle;
mod queue;
mod queues;
mod relay;
mod sleep;
mod upkeep;

use std::future::ready;
use std::{ffi::OsString, process::ExitCode};

pub use instruments::INSTRUMENTS;
use queues::Queues;
use relay::Relay;
use runtime::{Function, Service};
use store::Store;

#[derive(Debug, clap::Args)]
#[group(skip)]
struct Config {
    #[command(flatten)]
    relay: config::Config,
    #[command(flatten)]
    store: store::Config,
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
    let queues = Queues::connect(&config.relay).await;
    let relay = Relay::new(store.clone(), queues, config.relay, service.host());
    let publishing = relay.clone();
    let service = service.ready_when("postgresql", move || store.check_writable());
    let service = service.ready_when("publishing", move || ready(publishing.check()));
    Ok(service.background("relay", move |stop| relay.clone().run(stop)))
}
