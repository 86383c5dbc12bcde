//! An axum server that answers everything with 200, and does nothing else: what a start takes at the least.
//!
//! It is a binary of its own, since what else is in one takes time to start, too.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1).context("an address to listen on")?;
    let address: SocketAddr = address.parse().context("the address")?;
    let listener = TcpListener::bind(address).await.context("listening")?;
    let router = Router::new().fallback(get(async || ()));
    axum::serve(listener, router).await.context("serving")
}
