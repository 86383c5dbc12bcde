//! Changes tasks over HTTP, at once.

mod commands;
mod routes;

use std::process::ExitCode;

use clap::Args;
use commands::Commands;
use http_support::{Authenticator, auth};
use runtime::{Function, Service, SystemClock, http};
use store::Store;

#[derive(Debug, Args)]
#[group(skip)]
struct Config {
    #[command(flatten)]
    http: http::Config,
    #[command(flatten)]
    auth: auth::Config,
    #[command(flatten)]
    store: store::Config,
}

fn main() -> ExitCode {
    Function::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION")).run(wire)
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::connect(&config.store)?;
    let commands = Commands::new(store.clone(), SystemClock);
    let router = routes::router(commands, Authenticator::new(config.auth));
    service.ready_when("postgresql", move || store.ping()).http(config.http, router).await
}
