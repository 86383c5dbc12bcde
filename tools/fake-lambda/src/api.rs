//! A Lambda Runtime API on loopback, with a function behind it: in place of AWS.
//!
//! It hands invocations out one at a time, takes responses, errors and failed starts, and registers
//! extensions.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{AppendHeaders, IntoResponse},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex as AsyncMutex, mpsc, oneshot, watch},
    time::timeout,
};

/// How long to wait for what must happen; it bounds a failure and measures nothing.
const PATIENCE: Duration = Duration::from_mins(1);
/// The trace header of every invocation.
pub const TRACE: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;\
                                Sampled=1";

/// What a function made of an invocation: a response, or an error's type and message.
pub type Outcome = Result<Value, Value>;

/// The server.
pub struct LambdaApi {
    address: SocketAddr,
    state: Arc<Api>,
}

struct Api {
    fetches: watch::Sender<usize>,
    queued: mpsc::UnboundedSender<Invocation>,
    next: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    pending: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    init_errors: mpsc::UnboundedSender<Value>,
    failed_starts: AsyncMutex<mpsc::UnboundedReceiver<Value>>,
    extensions: Mutex<Vec<Value>>,
}

struct Invocation {
    id: String,
    deadline_ms: i64,
    event: Value,
}

impl LambdaApi {
    /// Starts on a free port.
    pub async fn start() -> Self {
        let (queued, next) = mpsc::unbounded_channel();
        let (init_errors, failed_starts) = mpsc::unbounded_channel();
        let state = Arc::new(Api {
            fetches: watch::Sender::new(0),
            queued,
            next: AsyncMutex::new(next),
            pending: Mutex::default(),
            init_errors,
            failed_starts: AsyncMutex::new(failed_starts),
            extensions: Mutex::default(),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next_invocation))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .route("/2020-01-01/extension/register", post(register))
            .route("/2020-01-01/extension/event/next", get(std::future::pending::<()>))
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    /// What AWS would put into the function's environment.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_LAMBDA_RUNTIME_API", self.address.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", "test".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
        ]
    }

    /// Invokes, with `time` until the deadline; waits for the outcome.
    pub async fn invoke(&self, id: &str, time: Duration, event: Value) -> Outcome {
        let (sender, outcome) = oneshot::channel();
        self.state.pending.lock().expect("a lock").insert(id.to_owned(), sender);
        let deadline_ms = now_ms() + i64::try_from(time.as_millis()).expect("a time");
        let invocation = Invocation { id: id.to_owned(), deadline_ms, event };
        self.state.queued.send(invocation).expect("a server");
        timeout(PATIENCE, outcome).await.expect("an outcome in time").expect("an outcome")
    }

    /// Waits until the function has fetched an invocation so many times: it is done with those
    /// before the last.
    pub async fn fetches(&self, times: usize) {
        let mut fetches = self.state.fetches.subscribe();
        let enough = timeout(PATIENCE, fetches.wait_for(|fetches| *fetches >= times));
        enough.await.expect("fetched in time").expect("a server");
    }

    /// The next start that failed.
    pub async fn failed_start(&self) -> Value {
        let mut failed_starts = self.state.failed_starts.lock().await;
        timeout(PATIENCE, failed_starts.recv()).await.expect("in time").expect("a server")
    }

    /// The events that each registered extension subscribed to.
    #[must_use]
    pub fn extensions(&self) -> Vec<Value> {
        self.state.extensions.lock().expect("a lock").clone()
    }
}

#[expect(clippy::disallowed_methods, reason = "a Lambda's deadline is a time of day")]
fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

async fn next_invocation(State(api): State<Arc<Api>>) -> impl IntoResponse {
    api.fetches.send_modify(|fetches| *fetches += 1);
    let next = api.next.lock().await.recv().await.expect("a server");
    let headers = AppendHeaders([
        ("lambda-runtime-aws-request-id", next.id),
        ("lambda-runtime-deadline-ms", next.deadline_ms.to_string()),
        ("lambda-runtime-trace-id", TRACE.to_owned()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:local:1:function:test".to_owned()),
    ]);
    (headers, Json(next.event))
}

async fn response(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    body: Bytes,
) -> impl IntoResponse {
    api.settle(&id, Ok(parse(&body)))
}

async fn error(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    body: Bytes,
) -> impl IntoResponse {
    api.settle(&id, Err(parse(&body)))
}

async fn init_error(State(api): State<Arc<Api>>, body: Bytes) -> impl IntoResponse {
    api.init_errors.send(parse(&body)).expect("a server");
    StatusCode::ACCEPTED
}

async fn register(State(api): State<Arc<Api>>, body: Bytes) -> impl IntoResponse {
    api.extensions.lock().expect("a lock").push(parse(&body));
    let body =
        json!({"functionName": "test", "functionVersion": "$LATEST", "handler": "bootstrap"});
    (AppendHeaders([("lambda-extension-identifier", "extension-1")]), Json(body))
}

/// Callers of the Runtime API do not all say that it is JSON.
fn parse(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

impl Api {
    /// An invocation has one outcome.
    fn settle(&self, id: &str, outcome: Outcome) -> StatusCode {
        let pending = self.pending.lock().expect("a lock").remove(id);
        match pending.map(|pending| pending.send(outcome)) {
            Some(Ok(())) => StatusCode::ACCEPTED,
            Some(Err(_)) | None => StatusCode::BAD_REQUEST,
        }
    }
}
