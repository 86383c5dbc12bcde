//! Serves tasks over HTTP.

mod attachments;
mod lists;
mod routes;

use std::process::ExitCode;

use attachments::Downloads;
use clap::Args;
use cloud::{History, HistoryConfig, Operations, OperationsConfig};
use http_support::page::Cursors;
use http_support::{Authenticator, auth, page};
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
    pages: page::Config,
    #[command(flatten)]
    store: store::Config,
    #[command(flatten)]
    history: HistoryConfig,
    #[command(flatten)]
    operations: OperationsConfig,
    #[command(flatten)]
    attachments: attachments::Config,
}

fn main() -> ExitCode {
    Function::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION")).run(wire)
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::for_lists(&config.store)?;
    let aws = aws::client_config().await;
    let downloads = Downloads::new(&aws, config.attachments, store.clone(), SystemClock);
    let router = routes::router(
        App {
            store: store.clone(),
            history: History::new(&aws, config.history),
            operations: Operations::new(&aws, config.operations),
            cursors: Cursors::new(&config.pages)?,
            authenticator: Authenticator::new(config.auth),
            clock: SystemClock,
        },
        downloads,
    );
    service.ready_when("postgresql", move || store.ping()).http(config.http, router).await
}
