//! An endpoint in front of AWS that stops at one request for good, before or after it has its effect.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::Value;
use tokio::sync::Notify;

use super::fixture::Fixture;
use crate::support::system::eventually;

/// When the request is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Before,
    After,
}

pub(crate) struct StoppingGateway {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: String,
    client: reqwest::Client,
    action: String,
    number: usize,
    place: Place,
    seen: AtomicUsize,
    /// Requests that are not answered yet.
    active: AtomicUsize,
    /// The client has ended: what it sent and was not forwarded yet never is.
    is_closed: AtomicBool,
    reached: Notify,
    receipts: Mutex<Vec<String>>,
}

impl StoppingGateway {
    /// Stops at the request of that number with that action.
    pub(crate) async fn start(endpoint: &str, action: &str, number: usize, place: Place) -> Self {
        let shared = Arc::new(Shared {
            endpoint: endpoint.to_owned(),
            client: reqwest::Client::new(),
            action: action.to_owned(),
            number,
            place,
            seen: AtomicUsize::new(0),
            active: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            reached: Notify::new(),
            receipts: Mutex::default(),
        });
        let router = Router::new().fallback(post(pass)).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Waits for the request.
    pub(crate) async fn reached(&self) {
        self.shared.reached.notified().await;
    }

    /// Makes visible what was handed out through this gateway.
    pub(crate) async fn release(&self, queues: &Fixture) {
        self.shared.is_closed.store(true, Ordering::SeqCst);
        eventually("all requests are answered", async || {
            (self.shared.active.load(Ordering::SeqCst) == 0).then_some(())
        })
        .await;
        let receipts = std::mem::take(&mut *self.shared.receipts.lock().expect("a lock"));
        for receipt in receipts {
            let request = queues.sqs.change_message_visibility();
            let request = request.queue_url(&queues.queue.dead_letter_url).visibility_timeout(0);
            // Some were deleted.
            let _ = request.receipt_handle(receipt).send().await;
        }
    }
}

/// What the client has left goes on nevertheless: the server does not know that, either.
async fn pass(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let action = target.and_then(|target| target.split('.').nth(1)).unwrap_or_default().to_owned();
    let is_it =
        action == shared.action && shared.seen.fetch_add(1, Ordering::Relaxed) + 1 == shared.number;
    if is_it && shared.place == Place::Before {
        return stop(&shared).await;
    }
    shared.active.fetch_add(1, Ordering::SeqCst);
    if shared.is_closed.load(Ordering::SeqCst) {
        shared.active.fetch_sub(1, Ordering::SeqCst);
        return std::future::pending().await;
    }
    let forwarded = tokio::spawn(forward(Arc::clone(&shared), action, headers, body));
    let response = forwarded.await.expect("an answer");
    if is_it { stop(&shared).await } else { response }
}

async fn forward(
    shared: Arc<Shared>,
    action: String,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    headers.remove(header::CONTENT_LENGTH);
    let request = shared.client.post(&shared.endpoint).headers(headers).body(body);
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
    let bytes = answer.bytes().await.expect("a body");
    if action == "ReceiveMessage" {
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let messages = answer["Messages"].as_array().into_iter().flatten();
        let handles = messages.filter_map(|message| message["ReceiptHandle"].as_str());
        shared.receipts.lock().expect("a lock").extend(handles.map(str::to_owned));
    }
    shared.active.fetch_sub(1, Ordering::SeqCst);
    let mut response = (status, bytes).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}

async fn stop(shared: &Shared) -> Response {
    shared.reached.notify_one();
    std::future::pending().await
}
