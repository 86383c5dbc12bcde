//! One address for the whole API, as callers have it behind the ingress of a cluster: what reads goes
//! to task-reader, everything else to task-writer.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use reqwest::redirect::Policy;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Larger than any body that the functions take.
const BODY_MAX: usize = 16 * 1024 * 1024;
/// Longer than any answer of the functions takes.
const ANSWER_MAX: Duration = Duration::from_mins(2);
/// What concerns one connection only (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Where requests go.
#[derive(Clone)]
pub struct Ingress {
    client: reqwest::Client,
    reader: String,
    writer: String,
}

impl Ingress {
    /// To the functions at these addresses, such as `http://127.0.0.1:8081`.
    pub fn new(reader: &str, writer: &str) -> Result<Self> {
        let client = reqwest::Client::builder().redirect(Policy::none()).timeout(ANSWER_MAX);
        let client = client.build()?;
        Ok(Self { client, reader: reader.to_owned(), writer: writer.to_owned() })
    }

    /// Serves `address` until the returned task is aborted.
    pub async fn serve(self, address: SocketAddr) -> Result<JoinHandle<()>> {
        let listener = TcpListener::bind(address).await.context("starting the ingress")?;
        let router = Router::new().fallback(forward).with_state(self);
        Ok(tokio::spawn(async move {
            // It ends only with the task.
            let _ = axum::serve(listener, router).await;
        }))
    }

    async fn answer(&self, request: Request) -> Result<Response> {
        let (mut parts, body) = request.into_parts();
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        let function = if reads { &self.reader } else { &self.writer };
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        parts.headers.remove(header::HOST);
        end_to_end(&mut parts.headers);
        let body = to_bytes(body, BODY_MAX).await?;
        let request = self.client.request(parts.method, format!("{function}{target}"));
        let answer = request.headers(parts.headers).body(body).send().await?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        end_to_end(&mut headers);
        Ok((status, headers, Body::from(answer.bytes().await?)).into_response())
    }
}

async fn forward(State(ingress): State<Ingress>, request: Request) -> Response {
    match ingress.answer(request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}\n")).into_response(),
    }
}

fn end_to_end(headers: &mut HeaderMap) {
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::any;

    use super::*;
    use crate::ports::{free, loopback};

    async fn function(name: &'static str) -> String {
        let address = loopback(free(None).unwrap());
        let listener = TcpListener::bind(address).await.unwrap();
        let echo = async move |request: Request| {
            let line = format!("{name} {} {}", request.method(), request.uri());
            ([("etag", "\"1\"")], line)
        };
        let router = Router::new().fallback(any(echo));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn what_reads_goes_to_the_reader_and_the_rest_to_the_writer() {
        let (reader, writer) = (function("reader").await, function("writer").await);
        let address = loopback(free(None).unwrap());
        let server = Ingress::new(&reader, &writer).unwrap().serve(address).await.unwrap();
        let client = reqwest::Client::new();
        for (method, expected) in [
            (Method::GET, "reader GET /v1/tasks?limit=1"),
            (Method::POST, "writer POST /v1/tasks?limit=1"),
            (Method::PATCH, "writer PATCH /v1/tasks?limit=1"),
        ] {
            let url = format!("http://{address}/v1/tasks?limit=1");
            let answer = client.request(method, url).send().await.unwrap();
            assert_eq!(answer.headers()["etag"], "\"1\"");
            assert_eq!(answer.text().await.unwrap(), expected);
        }
        server.abort();
    }
}
