//! Changes tasks over HTTP, at once or, if the caller prefers, later.

mod attachments;
mod commands;
mod config;
mod deferred;
mod envelope;
mod routes;

use std::process::ExitCode;

use attachments::Uploads;
use commands::Commands;
use config::Config;
use deferred::Deferred;
use http_support::Authenticator;
use routes::IfMatch;
use runtime::{Function, Service, SystemClock};
use store::Store;

fn main() -> ExitCode {
    Function::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION")).run(wire)
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::connect(&config.store)?;
    let deferred = Deferred::connect(config.command_queue_url, config.operations).await;
    let uploads = Uploads::connect(config.attachments, store.clone(), SystemClock).await;
    let commands = Commands::new(store.clone(), deferred, SystemClock);
    let if_match = if config.require_if_match { IfMatch::Required } else { IfMatch::Optional };
    let router = routes::router(commands, uploads, if_match, Authenticator::new(config.auth));
    service.ready_when("postgresql", move || store.ping()).http(config.http, router).await
}
