//! Changes tasks over HTTP, at once or, if the caller prefers, later.

mod api;
mod async_writes;
mod attachments;
mod bulk;
mod command_headers;
mod commands;
mod config;
mod routes;

use std::{ffi::OsString, process::ExitCode};

use async_writes::AsyncWrites;
use attachments::Uploads;
use commands::Commands;
use config::Config;
use http_support::contract::Document;
use http_support::{Authenticator, Guard};
use rate_limits::RateLimits;
use routes::IfMatch;
use runtime::{Function, Service, SystemClock};
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
    contract.with(routes::writes).with(routes::bulk).with(routes::attachment_writes)
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::for_writes(&config.store).await?;
    let async_writes = AsyncWrites::connect(config.command_queue_url, config.operations).await;
    let uploads = Uploads::connect(config.attachments, store.clone(), SystemClock).await;
    let commands = Commands::new(store.clone(), async_writes, SystemClock);
    let if_match = if config.require_if_match { IfMatch::Required } else { IfMatch::Optional };
    let limits = RateLimits::new(store.redis(), &config.rate_limits);
    let guard = Guard::new(Authenticator::new(config.auth), limits);
    let router = routes::router(commands, uploads, if_match, &guard);
    service.ready_when("postgresql", move || store.check_writable()).http(config.http, router).await
}
