//! Serves tasks over HTTP.

mod lists;
mod routes;

use std::process::ExitCode;

use clap::Args;
use cloud::{History, HistoryConfig, Operations, OperationsConfig};
use http_support::{Authenticator, auth};
use routes::App;
use runtime::{Function, Service, SystemClock, aws, http};
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
    #[command(flatten)]
    history: HistoryConfig,
    #[command(flatten)]
    operations: OperationsConfig,
}

fn main() -> ExitCode {
    Function::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION")).run(wire)
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::connect(&config.store)?;
    let aws = aws::client_config().await;
    let router = routes::router(App {
        store: store.clone(),
        history: History::new(&aws, config.history),
        operations: Operations::new(&aws, config.operations),
        authenticator: Authenticator::new(config.auth),
        clock: SystemClock,
    });
    service.ready_when("postgresql", move || store.ping()).http(config.http, router).await
}
