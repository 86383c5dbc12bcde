//! What one request may take: bytes, time, and the function's nerves.

use std::{any::Any, time::Duration};

use axum::{
    body::{Body, HttpBody as _},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http_body_util::Limited;
use tokio::time::timeout;
use tracing::error;

use super::{RequestId, problem};
use crate::panics;

/// Middleware: refuses a body that says it is larger than `limit`, and cuts off one that does not
/// say; axum's extractors answer the latter with 413, too.
pub(super) async fn body(State(limit): State<u32>, request: Request, next: Next) -> Response {
    if request.body().size_hint().lower() > u64::from(limit) {
        let detail = format!("The request's body may have {limit} bytes at most.");
        let slug = "payload-too-large";
        return problem(StatusCode::PAYLOAD_TOO_LARGE, slug, "Payload too large", detail)
            .into_response();
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    next.run(request.map(|body| Body::new(Limited::new(body, limit)))).await
}

/// Middleware: gives up on a request after `limit`.
pub(super) async fn time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    timeout(limit, next.run(request)).await.unwrap_or_else(|_| {
        let detail = format!("The request took longer than {} ms.", limit.as_millis());
        problem(StatusCode::SERVICE_UNAVAILABLE, "timed-out", "Timed out", detail)
            .header(RETRY_AFTER, HeaderValue::from_static("1"))
            .into_response()
    })
}

/// The answer to a request whose handler panicked.
#[expect(clippy::needless_pass_by_value, reason = "the signature that tower-http calls")]
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let id = RequestId::current();
    let request_id = id.as_ref().map(RequestId::as_str);
    error!(request_id, panic = panics::message(&*panic), "a request's handler panicked");
    let detail = "The request failed for a reason of ours; its id will find it in our logs.";
    problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail).into_response()
}
