//! An endpoint in front of S3, where one kind of request fails or waits.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use tokio::sync::Notify;

/// What becomes of the requests that are chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// S3 denies access.
    Denied,
    /// S3 refuses with a status, a code and a message.
    Refused(StatusCode, &'static str, &'static str),
    /// S3 fails each time.
    Broken,
    /// They wait for [`Gateway::release`].
    Held,
}

pub(crate) struct Gateway {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: String,
    /// A method, and a part of the path and query.
    chosen: (Method, String),
    fault: Fault,
    client: reqwest::Client,
    held: Notify,
    released: Notify,
}

impl Gateway {
    pub(crate) async fn start(
        endpoint: &str,
        method: Method,
        part_of_path: &str,
        fault: Fault,
    ) -> Self {
        let shared = Arc::new(Shared {
            endpoint: endpoint.to_owned(),
            chosen: (method, part_of_path.to_owned()),
            fault,
            client: reqwest::Client::new(),
            held: Notify::new(),
            released: Notify::new(),
        });
        let router = Router::new().fallback(any(pass)).layer(DefaultBodyLimit::disable());
        let router = router.with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Waits until a request is held.
    pub(crate) async fn holds(&self) {
        self.shared.held.notified().await;
    }

    pub(crate) fn release(&self) {
        self.shared.released.notify_one();
    }
}

async fn pass(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    if method == shared.chosen.0 && path.contains(&shared.chosen.1) {
        match shared.fault {
            Fault::Denied => return refusal(StatusCode::FORBIDDEN, "AccessDenied", "not now"),
            Fault::Refused(status, code, message) => return refusal(status, code, message),
            Fault::Broken => {
                return refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "not now");
            }
            Fault::Held => {
                shared.held.notify_one();
                shared.released.notified().await;
            }
        }
    }
    let request = shared.client.request(method, format!("{}{path}", shared.endpoint));
    let answer = request.headers(headers).body(body).send().await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.bytes().await.expect("a body")).into_response()
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, body).into_response()
}
