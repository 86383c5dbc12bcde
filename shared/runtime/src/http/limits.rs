//! What one request may take: bytes and time; and what becomes of it when its handler panics.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use axum::{
    body::{Body, HttpBody as _},
    extract::Request,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse as _, Response},
};
use futures::FutureExt as _;
use http_body_util::Limited;
use tokio::time::{Instant, timeout};
use tracing::error;

use super::{RequestId, problem, problem::PROBLEM_JSON, problems};
use crate::panics;

/// What a request's head may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadLimits {
    pub(super) headers: usize,
    /// Of the target and the headers' names and values.
    pub(super) bytes: usize,
}

/// Middleware: refuses a head beyond `limits`. The server has wider limits of its own; these
/// hold in both hosts.
pub(super) async fn head<F: Future<Output = Response>>(
    HeadLimits { headers, bytes }: HeadLimits,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    if request.headers().len() <= headers && head_bytes(&request) <= bytes {
        return next(request).await;
    }
    let detail = format!(
        "The request's head may have {headers} headers, and {bytes} bytes with its target, at most."
    );
    problem(&problems::HEAD_TOO_LARGE, detail).into_response()
}

fn head_bytes(request: &Request) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let header = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    target + request.headers().iter().map(header).sum::<usize>()
}

/// Middleware: refuses a body that says it is larger than `limit`, and cuts off one that does not
/// say.
pub(super) async fn body<F: Future<Output = Response>>(
    limit: u32,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    if request.body().is_end_stream() {
        return next(request).await;
    }
    if request.body().size_hint().lower() > u64::from(limit) {
        return too_large(limit);
    }
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let response = next(request.map(|body| Body::new(Limited::new(body, most)))).await;
    // What axum's extractors say of a body that was cut off has no details.
    let is_bare = response.status() == StatusCode::PAYLOAD_TOO_LARGE
        && response.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != PROBLEM_JSON);
    if is_bare { too_large(limit) } else { response }
}

fn too_large(limit: u32) -> Response {
    let detail = format!("The request's body may have {limit} bytes at most.");
    problem(&problems::PAYLOAD_TOO_LARGE, detail).into_response()
}

/// When a request's answer must be on its way, whatever else is allowed: an extension that a Lambda
/// gives it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(pub(crate) Instant);

/// Middleware: gives up on a request after `limit`, or at its [`Deadline`] if that is earlier.
pub(super) async fn time<F: Future<Output = Response>>(
    limit: Duration,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let left = |Deadline(at): &Deadline| at.saturating_duration_since(Instant::now());
    let limit = request.extensions().get().map_or(limit, |deadline| limit.min(left(deadline)));
    timeout(limit, next(request)).await.unwrap_or_else(|_| {
        let detail = format!("The request took longer than {} ms.", limit.as_millis());
        problem(&problems::TIMED_OUT, detail)
            .header(RETRY_AFTER, HeaderValue::from_static("1"))
            .into_response()
    })
}

/// Answers in the place of a handler that panics.
pub(super) async fn catch_panics(answer: impl Future<Output = Response>) -> Response {
    let caught = AssertUnwindSafe(answer).catch_unwind().await;
    caught.unwrap_or_else(|panic| panicked(&*panic))
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    let id = RequestId::current();
    let request_id = id.as_ref().map(RequestId::as_str);
    error!(request_id, panic = panics::message(panic), "a request's handler panicked");
    let detail = "The request failed for a reason of ours; its id will find it in our logs.";
    problem(&problems::INTERNAL, detail).into_response()
}
