//! Serves tasks over HTTP.
//!
//! A library beside its binary, so that the contract can be made from its routes.

mod api;
mod attachments;
mod config;
mod lists;
mod routes;

use attachments::Downloads;
use cloud::{History, Operations};
pub use config::Config;
use http_support::contract::Document;
use http_support::{Authenticator, Guard, page::Cursors};
use routes::App;
use runtime::{Host, Service, SystemClock, aws};
use store::Store;

/// Adds the function's operations to the contract.
#[must_use]
pub fn describe(contract: Document) -> Document {
    contract
        .with(routes::lists)
        .with(routes::reads)
        .with(attachments::lists)
        .with(attachments::reads)
}

/// Connects what the function is made of.
pub async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::for_lists(&config.store)?;
    let (store, follower) = match service.host() {
        Host::Pod => store.keeping(&config.local),
        // Frozen between invocations, it would not hear what changes.
        Host::Lambda => (store, None),
    };
    let aws = aws::client_config().await;
    let downloads = Downloads::new(&aws, config.attachments, store.clone(), SystemClock);
    let limits = store.rate_limits(config.rate_limits);
    let guard = Guard::new(Authenticator::new(config.auth), limits);
    let router = routes::router(
        App {
            store: store.clone(),
            history: History::new(&aws, config.history),
            operations: Operations::new(&aws, config.operations),
            cursors: Cursors::new(&config.pages)?,
            clock: SystemClock,
        },
        downloads,
        &guard,
    );
    let service = service.ready_when("postgresql", move || store.ping());
    let service = service.http(config.http, router).await?;
    Ok(match follower {
        Some(follower) => service.background("changes", move |stop| follower.clone().run(stop)),
        None => service,
    })
}
