//! What one request may take: bytes and time; and what becomes of it when its handler panics.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use axum::{
    body::{Body, HttpBody as _},
    extract::{DefaultBodyLimit, Request},
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

/// What a request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestLimits {
    pub(super) head: HeadLimits,
    pub(super) body_bytes: u32,
    pub(super) time: Duration,
}

/// What a request's head may have. The server has wider limits of its own; these hold in both hosts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadLimits {
    pub(super) headers: usize,
    /// Of the target and the headers' names and values.
    pub(super) bytes: usize,
}

impl RequestLimits {
    /// The answer to a request whose head is too large, or whose body says that it is.
    pub(super) fn refusal(&self, request: &Request) -> Option<Response> {
        if let Some(refusal) = self.head.refusal(request) {
            return Some(refusal);
        }
        let is_too_large = request.body().size_hint().lower() > u64::from(self.body_bytes);
        is_too_large.then(|| too_large(self.body_bytes))
    }

    /// Cuts off a body that does not say how large it is.
    pub(super) fn bound(&self, mut request: Request) -> Request {
        if request.body().is_end_stream() {
            return request;
        }
        DefaultBodyLimit::disable().apply(&mut request);
        let most = usize::try_from(self.body_bytes).unwrap_or(usize::MAX);
        request.map(|body| Body::new(Limited::new(body, most)))
    }

    /// What axum's extractors say of a body that was cut off has no details.
    pub(super) fn explain(&self, response: Response) -> Response {
        let is_bare = response.status() == StatusCode::PAYLOAD_TOO_LARGE
            && response.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != PROBLEM_JSON);
        if is_bare { too_large(self.body_bytes) } else { response }
    }

    /// For how long a request may be served: until its [`Deadline`] at most.
    pub(super) fn time(&self, request: &Request) -> Duration {
        let left = |Deadline(at): &Deadline| at.saturating_duration_since(Instant::now());
        request.extensions().get().map_or(self.time, |deadline| self.time.min(left(deadline)))
    }
}

impl HeadLimits {
    fn refusal(&self, request: &Request) -> Option<Response> {
        let Self { headers, bytes } = self;
        if request.headers().len() <= *headers && head_bytes(request) <= *bytes {
            return None;
        }
        let detail = format!(
            "The request's head may have {headers} headers, and {bytes} bytes with its target, at most."
        );
        Some(problem(&problems::HEAD_TOO_LARGE, detail).into_response())
    }
}

fn head_bytes(request: &Request) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let header = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    target + request.headers().iter().map(header).sum::<usize>()
}

fn too_large(limit: u32) -> Response {
    let detail = format!("The request's body may have {limit} bytes at most.");
    problem(&problems::PAYLOAD_TOO_LARGE, detail).into_response()
}

/// When a request's answer must be on its way, whatever else is allowed: an extension that a Lambda
/// gives it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(pub(crate) Instant);

/// Gives up on an answer after `limit`.
pub(super) async fn within(limit: Duration, answer: impl Future<Output = Response>) -> Response {
    timeout(limit, answer).await.unwrap_or_else(|_| {
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
