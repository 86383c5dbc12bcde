//! A complete HTTP function: `HTTP_ADDR=127.0.0.1:8080 cargo run -p runtime --example api`, then
//! `curl -d hello 127.0.0.1:8080/echo`. `/slow` and `/panic` show what becomes of mishaps.

use std::{future::pending, process::ExitCode};

use axum::{
    Router,
    body::Bytes,
    extract::RawQuery,
    http::{HeaderMap, HeaderValue, header},
    response::{AppendHeaders, IntoResponse},
    routing::{get, post},
};
use runtime::{Function, Service, http};

async fn echo(headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let unknown = HeaderValue::from_static("application/octet-stream");
    let kind = headers.get(header::CONTENT_TYPE).cloned().unwrap_or(unknown);
    ([(header::CONTENT_TYPE, kind)], body)
}

/// The query and the header `tag`, each of its values in a line, and two cookies.
async fn show(RawQuery(query): RawQuery, headers: HeaderMap) -> impl IntoResponse {
    let tags = headers.get_all("tag").iter().filter_map(|tag| tag.to_str().ok());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let lines: Vec<_> = query.as_deref().into_iter().chain(host).chain(tags).collect();
    let cookies = [(header::SET_COOKIE, "a=1"), (header::SET_COOKIE, "b=2")];
    (AppendHeaders(cookies), lines.join("\n"))
}

/// Much of the same.
async fn large() -> String {
    "hello ".repeat(1_000)
}

#[expect(clippy::panic, reason = "to show what becomes of it")]
async fn panic() {
    panic!("an example of a panic")
}

async fn wire(config: http::Config, service: Service) -> anyhow::Result<Service> {
    let router = Router::new()
        .route("/echo", post(echo))
        .route("/show", get(show))
        .route("/large", get(large))
        .route("/slow", get(pending::<()>))
        .route("/panic", get(panic));
    service.http(config, router).await
}

fn main() -> ExitCode {
    Function::new("api", "Echoes its requests").run(wire)
}
