//! What a hostile client tries: each attempt is refused by itself, and costs the other callers nothing.
//!
//! Forged tokens are tried in `http-support`, ways to hide a request in another one in `runtime`, SQL in
//! filters and cursors that were tampered with in [`crate::api`].

mod bodies;
mod headers;
mod slow;

use reqwest::Response;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::system::{Api, PATIENCE};

/// Sends bytes as they are, and returns the connection.
async fn send(api: &Api, bytes: &str) -> TcpStream {
    let address = api.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(bytes.as_bytes()).await.expect("a request that is sent");
    stream
}

/// All that comes until the server closes the connection.
async fn read_to_end(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // What was left unread may turn the end into a reset.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The problem's type, without `urn:problem:`, behind its status.
async fn problem(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let problem: Value = response.json().await.expect("a problem");
    let name = problem["type"].as_str().unwrap_or_default();
    (status, name.trim_start_matches("urn:problem:").to_owned())
}
