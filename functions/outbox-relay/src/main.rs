//! Tells the facts of the outbox to queues: in order per task, at least once.

mod config;
mod envelope;
mod held;
mod pace;
mod queue;
mod queues;
mod relay;
mod turn;
mod upkeep;

use std::process::ExitCode;

use clap::Args;
use queues::Queues;
use relay::Relay;
use runtime::{Function, Service};
use store::Store;

#[derive(Debug, Args)]
#[group(skip)]
struct Config {
    #[command(flatten)]
    relay: config::Config,
    #[command(flatten)]
    store: store::Config,
}

fn main() -> ExitCode {
    Function::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION")).run(wire)
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::connect(&config.store)?;
    let queues = Queues::connect(&config.relay).await;
    let relay = Relay::new(store.clone(), queues, config.relay, service.host());
    let service = service.ready_when("postgresql", move || store.check_writable());
    Ok(service.background("relay", move |stop| relay.clone().run(stop)))
}
