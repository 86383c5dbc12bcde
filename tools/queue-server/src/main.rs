//! SQS in memory, for measurements: it spends a few microseconds a message, so that what is measured is its
//! client.
//!
//! It has what the functions and their peers call, over the JSON protocol: messages in order within their
//! group, receipt handles, visibility timeouts and long polling. It has no deduplication, no delays, no
//! redrive and no signatures, and forgets everything when it ends. The tests do not use it: they need a
//! server that is right in all of these.

mod api;
mod attributes;
mod messages;
mod queue;

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use clap::Parser;
use tokio::net::TcpListener;

#[derive(Parser)]
struct Arguments {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { listen } = Arguments::parse();
    let listener = TcpListener::bind(listen).await.context("listening")?;
    axum::serve(listener, api::router(listen)).await.context("serving")
}
