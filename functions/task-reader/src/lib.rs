//! Serves tasks over HTTP.

mod answers;
mod api;
mod attachments;
mod config;
mod freshness;
mod lists;
mod routes;

use std::{ffi::OsString, process::ExitCode};

use attachments::Downloads;
use config::Config;
use http_support::contract::Document;
use http_support::{Authenticator, Guard, page::Cursors};
use rate_limits::RateLimits;
use records::{History, Operations};
use routes::App;
use runtime::{Function, Host, Service, SystemClock, aws};
use store::Store;

/// Its name.
pub const NAME: &str = env!("CARGO_PKG_NAME");
/// What it is for, in one line.
pub const ABOUT: &str = env!("CARGO_PKG_DESCRIPTION");

/// Runs the function with a command line, whose first argument is the program's name.
#[must_use]
pub fn run(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    Function::new(NAME, ABOUT).run_with(command_line, wire)
}

/// Adds the function's operations to the contract.
#[must_use]
pub fn describe(contract: Document) -> Document {
    contract
        .with(routes::lists)
        .with(routes::reads)
        .with(routes::attachment_lists)
        .with(routes::attachment_reads)
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::for_lists(&config.store).await?;
    let (store, listener) = match service.host() {
        Host::Pod => store.with_local_cache(&config.local),
        // Frozen between invocations, it would receive no invalidation.
        Host::Lambda => (store, None),
    };
    let aws = aws::client_config().await;
    let downloads = Downloads::new(&aws, config.attachments, store.clone(), SystemClock);
    let limits = RateLimits::new(store.redis(), &config.rate_limits);
    let guard = Guard::new(Authenticator::new(config.auth), limits);
    let router = routes::router(
        App {
            store: store.clone(),
            history: History::new(&aws, config.history),
            operations: Operations::new(&aws, config.operations),
            cursors: Cursors::new(&config.pages).await?,
            clock: SystemClock,
        },
        downloads,
        &guard,
    );
    let service = service.ready_when("postgresql", move || store.ping());
    let service = service.http(config.http, router).await?;
    Ok(match listener {
        Some(listener) => service.background("changes", move |stop| listener.clone().run(stop)),
        None => service,
    })
}
