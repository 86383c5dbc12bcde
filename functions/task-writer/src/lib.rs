//! Changes tasks over HTTP, at once or, if the caller prefers, later.
//!
//! A library beside its binary, so that the contract can be made from its routes.

mod api;
mod attachments;
mod bulk;
mod commands;
mod config;
mod deferred;
mod envelope;
mod routes;

use attachments::Uploads;
use commands::Commands;
pub use config::Config;
use deferred::Deferred;
use http_support::contract::Document;
use http_support::{Authenticator, Guard};
use routes::IfMatch;
use runtime::{Service, SystemClock};
use store::Store;

/// Adds the function's operations to the contract.
#[must_use]
pub fn describe(contract: Document) -> Document {
    contract.with(routes::writes).with(routes::bulk).with(attachments::writes)
}

/// Connects what the function is made of.
pub async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::connect(&config.store)?;
    let deferred = Deferred::connect(config.command_queue_url, config.operations).await;
    let uploads = Uploads::connect(config.attachments, store.clone(), SystemClock).await;
    let commands = Commands::new(store.clone(), deferred, SystemClock);
    let if_match = if config.require_if_match { IfMatch::Required } else { IfMatch::Optional };
    let limits = store.rate_limits(config.rate_limits);
    let guard = Guard::new(Authenticator::new(config.auth), limits);
    let router = routes::router(commands, uploads, if_match, &guard);
    service.ready_when("postgresql", move || store.check_writable()).http(config.http, router).await
}
