//! Publishes the facts of the outbox to queues: in order per task, at least once.

mod backoff;
mod config;
mod envelope;
mod publish_cycle;
mod queue;
mod queues;
mod relay;
mod upkeep;

use std::future::ready;
use std::process::ExitCode;

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

fn main() -> ExitCode {
    Function::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION")).run(wire)
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::connect(&config.store)?;
    let queues = Queues::connect(&config.relay).await;
    let relay = Relay::new(store.clone(), queues, config.relay, service.host());
    let publishing = relay.clone();
    let service = service.ready_when("postgresql", move || store.check_writable());
    let service = service.ready_when("publishing", move || ready(publishing.check()));
    Ok(service.background("relay", move |stop| relay.clone().run(stop)))
}
