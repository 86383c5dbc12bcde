//! The HTTP host: one axum router behind the same limits, logs and errors in every function.
//!
//! From the outside in, a request passes: a request id (`x-request-id`, taken over if it is sane) ·
//! its span, one access-log line and the metrics · the answers to browsers (CORS) · a net for panics (500) · the request timeout (503)
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
mod responses;
mod server;
#[cfg(test)]
mod tests;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use activity::Timeouts;
pub use axum::http::StatusCode;
pub use config::Config;
pub(crate) use limits::Deadline;
pub(crate) use listener::Limits;
pub use log_fields::LogField;
pub use problem::{ProblemDetails, problem};
pub use problem_type::ProblemType;
pub use request_id::RequestId;
pub use responses::method_not_allowed;
use responses::not_found;
pub(crate) use responses::unsound;
pub(crate) use server::{bind, serve};

/// Where a load balancer that knows the port of the requests only finds that something listens there.
const HEALTH: &str = "/healthz";

/// Puts the middleware around a router. Its fallbacks are replaced by ours.
pub(crate) fn harden(router: Router, config: &Config) -> Router {
    let router = base_path::below(&config.http_base_path, router)
        .route(HEALTH, get(|| async { StatusCode::OK }))
        .fallback(|| async { not_found() })
        .method_not_allowed_fallback(|| async { method_not_allowed() })
        .layer(compression::layer())
        .layer(from_fn(compression::identity_as_a_last_resort))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(from_fn_with_state(config.http_max_body_bytes, limits::body))
        .layer(from_fn_with_state(config.head(), limits::head))
        .layer(from_fn_with_state(config.request_timeout(), limits::time))
        .layer(CatchPanicLayer::custom(limits::panicked));
    let router = match cors::layer(&config.http_cors_origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router.layer(from_fn(observe::observe)).layer(from_fn(request_id::assign))
}
