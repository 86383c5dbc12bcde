//! `dead-letters serve`: the same on a web page, for those who would rather look.
//!
//! The page and its scripts hold no secret and are served to everybody who reaches the address. What
//! reads queues is below `/api/`, and wants the token that is printed at the start.

mod api;
mod arguments;
mod connections;
mod depths;
mod guard;
mod page;
mod problem;
mod reads;
mod replay;
mod responses;
mod sampler;
mod selection;
mod token;

pub(crate) use arguments::ServeArguments;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::ledger::LedgerOptions;
use crate::output;
use crate::queue::Interrupt;
use depths::Depths;
use guard::Guard;
use reads::Reads;
use replay::Replays;
use token::Token;

/// What every request may use.
struct Site {
    aws: SdkConfig,
    client: Client,
    ledger: LedgerOptions,
    clock: fn() -> DateTime<Utc>,
    depths: Depths,
    reads: Reads,
    replays: Replays,
    /// Between two samples, in seconds.
    interval: u64,
}

/// Serves until the process is to end.
pub(crate) async fn run(
    aws: SdkConfig,
    clock: fn() -> DateTime<Utc>,
    arguments: &ServeArguments,
) -> anyhow::Result<()> {
    let address = arguments.address().unwrap_or_else(|wrong_usage| wrong_usage.exit());
    let mut interrupt = Interrupt::listen()?;
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| {
        format!("cannot listen on {address}; choose a free address by --listen, or port 0")
    })?;
    let address = listener.local_addr()?;
    let token = Token::random()?;
    output::line(&format!("{}#token={}", arguments.url(address), token.text()))?;
    print_notes(address, arguments);

    let stop = CancellationToken::new();
    let client = Client::new(&aws);
    let interval = arguments.interval;
    let depths = Depths::default();
    let ledger = arguments.ledger.clone();
    let (reads, replays) = (Reads::new(&stop), Replays::new(arguments.allow_replay));
    let site = Arc::new(Site { aws, client, ledger, clock, depths, reads, replays, interval });
    let sampler = tokio::spawn(sampler::sample(Arc::clone(&site), stop.clone()));
    let router = router(Arc::clone(&site), token, Guard::new(address, &arguments.host));
    tokio::select! {
        () = connections::serve(listener, router, &stop) => (),
        () = async { interrupt.wait().await; stop.cancel(); std::future::pending().await } => (),
    }
    site.reads.finish().await;
    sampler.await.context("sampling the depths")
}

fn print_notes(address: SocketAddr, arguments: &ServeArguments) {
    let what = if arguments.allow_replay { "read and replay" } else { "read" };
    output::note(&format!("whoever has this address may {what} the messages. Ctrl-C ends it"));
    if !address.ip().is_loopback() {
        output::note(
            "other machines reach it, and what they read is not encrypted: put a proxy with TLS in \
             front of it",
        );
    }
}

fn router(site: Arc<Site>, token: Token, guard: Guard) -> Router {
    let api = api::routes(site).layer(from_fn_with_state(Arc::new(token), token::check));
    Router::new()
        .nest("/api", api)
        .merge(page::routes())
        .fallback(problem::no_such_page)
        .layer(from_fn_with_state(Arc::new(guard), guard::check))
        .layer(from_fn(responses::bounded))
        .layer(map_response(responses::with_headers))
}
