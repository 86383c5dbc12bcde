//! What the tool sends to SQS, written down; and requests of one action that are slow or fail.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::time::sleep;

/// What happens to each request of an action but the first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Later {
    Answered,
    /// SQS hands out messages, and the answer takes so long.
    Delayed(Duration),
    Refused,
}

/// An endpoint in front of SQS.
pub(crate) struct Gateway {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

/// A request by the name of its action, and the answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) action: String,
    pub(crate) request: Value,
    pub(crate) answer: Value,
}

struct Shared {
    endpoint: String,
    action: &'static str,
    later: Later,
    client: reqwest::Client,
    count: Mutex<usize>,
    exchanges: Mutex<Vec<Exchange>>,
}

impl Gateway {
    /// For receives that are slow or fail.
    pub(crate) async fn start(endpoint: &str, later: Later) -> Self {
        Self::of("ReceiveMessage", endpoint, later).await
    }

    /// For another action.
    pub(crate) async fn of(action: &'static str, endpoint: &str, later: Later) -> Self {
        let shared = Arc::new(Shared {
            endpoint: endpoint.to_owned(),
            action,
            later,
            client: reqwest::Client::new(),
            count: Mutex::default(),
            exchanges: Mutex::default(),
        });
        let router = Router::new().fallback(post(pass)).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Everything that was sent, in the order of the answers.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.shared.exchanges).clone()
    }

    /// How many entries the largest batch had that was sent.
    pub(crate) fn largest_batch(&self) -> Option<usize> {
        let exchanges = lock(&self.shared.exchanges);
        let sent = exchanges.iter().filter(|exchange| exchange.action == "SendMessageBatch");
        sent.filter_map(|exchange| Some(exchange.request["Entries"].as_array()?.len())).max()
    }
}

async fn pass(State(shared): State<Arc<Shared>>, mut headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    // STS has its actions elsewhere.
    let action = target.and_then(|target| target.split('.').nth(1)).unwrap_or_default().to_owned();
    let is_later = action == shared.action && {
        let mut count = lock(&shared.count);
        *count += 1;
        *count > 1
    };
    if is_later && shared.later == Later::Refused {
        let refusal = json!({"__type": "com.amazonaws.sqs#AccessDenied", "message": "not again"});
        return (StatusCode::FORBIDDEN, refusal.to_string()).into_response();
    }
    headers.remove(header::CONTENT_LENGTH);
    let request = shared.client.post(&shared.endpoint).headers(headers).body(body.clone());
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let text = answer.bytes().await.expect("a body");
    let json = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or_default();
    lock(&shared.exchanges).push(Exchange { action, request: json(&body), answer: json(&text) });
    if let (true, Later::Delayed(time)) = (is_later, shared.later) {
        sleep(time).await;
    }
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], text).into_response()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
