//! Serves tasks over HTTP.

mod attachments;
mod config;
mod lists;
mod routes;

use std::process::ExitCode;

use attachments::Downloads;
use cloud::{History, Operations};
use config::Config;
use http_support::{Authenticator, page::Cursors};
use routes::App;
use runtime::{Function, Service, SystemClock, aws};
use store::Store;

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
