//! Changes tasks over HTTP, at once or, if the caller prefers, later.

mod attachments;
mod commands;
mod deferred;
mod envelope;
mod routes;

use std::process::ExitCode;

use attachments::Uploads;
use clap::Args;
use cloud::OperationsConfig;
use commands::Commands;
use deferred::Deferred;
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
    #[command(flatten)]
    operations: OperationsConfig,
    #[command(flatten)]
    attachments: attachments::Config,
    /// URL of the command queue, for writes with `Prefer: respond-async`; without it, all writes are
    /// applied at once
    #[arg(long, env)]
    command_queue_url: Option<String>,
}

fn main() -> ExitCode {
    Function::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_DESCRIPTION")).run(wire)
}

async fn wire(config: Config, service: Service) -> anyhow::Result<Service> {
    let store = Store::connect(&config.store)?;
    let deferred = Deferred::connect(config.command_queue_url, config.operations).await;
    let uploads = Uploads::connect(config.attachments, store.clone(), SystemClock).await;
    let commands = Commands::new(store.clone(), deferred, SystemClock);
    let router = routes::router(commands, uploads, Authenticator::new(config.auth));
    service.ready_when("postgresql", move || store.ping()).http(config.http, router).await
}
