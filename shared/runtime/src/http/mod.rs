//! The HTTP host: one axum router behind the same limits, logs and errors in every function.
//!
//! From the outside in, a request passes: a request id (`x-request-id`, taken over if it is sane) ·
//! its span, one access-log line and the metrics · the answers to browsers (CORS) · the answer to a panic (500) · the request timeout (503)
//! · the limits of its head (431) and its body (413) · the compression of the answer · the router,
//! whose 404 and 405 speak problem details too. Connections have limits of their own: how many there
//! are, how long a request's head may take to arrive, how long a connection may be idle, and how long
//! a client may leave a response unread.
//!
//! `/healthz` answers 200 to everybody, for load balancers that cannot ask another port: it says that
//! something listens, and no more. Readiness has the port of [`health`](crate::Function).
//!
//! Bodies of 1 KiB and more are sent as gzip to clients that accept it, but not under a strong entity tag,
//! which names their bytes. The log line has the request's id, its method, its route's template, the
//! status and the duration, and what the handler adds by [`LogField`]. What is refused before it gets
//! here, a malformed head for instance, has a line with the reason and without a route.

mod activity;
mod base_path;
mod compression;
mod config;
mod connection;
mod cors;
mod framing;
mod limits;
mod linger;
mod listener;
mod log_fields;
mod observe;
mod problem;
mod problem_type;
pub mod problems;
mod refused;
mod request_id;
mod request_metrics;
mod responses;
mod server;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::get,
};
use tower::ServiceBuilder;

pub(crate) use activity::Timeouts;
pub use axum::http::StatusCode;
pub use config::Config;
pub(crate) use limits::Deadline;
use limits::HeadLimits;
pub(crate) use listener::Limits;
pub use log_fields::LogField;
pub use problem::{ProblemDetails, problem};
pub use problem_type::ProblemType;
pub use request_id::RequestId;
use request_metrics::RequestMetrics;
pub use responses::method_not_allowed;
use responses::not_found;
pub(crate) use responses::unsound;
pub(crate) use server::{bind, serve};

/// Where a load balancer that knows the port of the requests only finds that something listens there.
const HEALTH: &str = "/healthz";

/// What the middleware needs.
struct Settings {
    body_bytes: u32,
    head: HeadLimits,
    time: Duration,
    metrics: RequestMetrics,
}

/// Puts the middleware around a router. Its fallbacks are replaced by ours.
///
/// Each layer of a router is a box that every request clones, with all boxes in it. So there are few:
/// what is ours are functions that call each other.
pub(crate) fn harden(router: Router, config: &Config) -> Router {
    let settings = Arc::new(Settings {
        body_bytes: config.http_max_body_bytes,
        head: config.head(),
        time: config.request_timeout(),
        metrics: RequestMetrics::new(),
    });
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(Arc::clone(&settings), observed))
        .option_layer(cors::layer(&config.http_cors_origins))
        .layer(from_fn_with_state(settings, limited))
        .layer(DefaultBodyLimit::disable())
        .layer(compression::layer());
    base_path::below(&config.http_base_path, router)
        .route(HEALTH, get(|| async { StatusCode::OK }))
        .fallback(|| async { not_found() })
        .method_not_allowed_fallback(|| async { method_not_allowed() })
        .layer(layers)
}

/// Middleware: what a request is called, and what is said of it.
async fn observed(State(settings): State<Arc<Settings>>, request: Request, next: Next) -> Response {
    let observe =
        |request| observe::observe(&settings.metrics, request, |request| next.run(request));
    request_id::assign(request, observe).await
}

/// Middleware: what a request may take.
async fn limited(State(settings): State<Arc<Settings>>, request: Request, next: Next) -> Response {
    let run = |request| next.run(compression::identity_as_a_last_resort(request));
    let body = |request| limits::body(settings.body_bytes, request, run);
    let head = |request| limits::head(settings.head, request, body);
    limits::catch_panics(limits::time(settings.time, request, head)).await
}
