//! The HTTP host: one axum router behind the same limits, logs and errors in every function.
//!
//! From the outside in, a request passes: a request id (`x-request-id`, taken over if it is sane) ·
//! its span, one access-log line and the metrics · a net for panics (500) · the request timeout (503)
//! · the limits of its head (431) and its body (413) · the compression of the answer · the router,
//! whose 404 and 405 speak problem details too. Connections have limits of their own: how many there
//! are, how long a request's head may take to arrive, how long a connection may be idle, and how long
//! a client may leave a response unread.
//!
//! Bodies of 1 KiB and more are sent as gzip to who accepts that, but not under a strong entity tag,
//! which names their bytes. The log line has the request's id, its method, its route's template, the
//! status and the duration, and what the handler adds by [`LogField`]. What is refused before it gets
//! here, a malformed head for instance, has a line with the reason and without a route.

mod activity;
mod compression;
mod config;
mod connection;
mod framing;
mod limits;
mod linger;
mod log_fields;
mod observe;
mod problem;
mod problem_type;
pub mod problems;
mod refused;
mod request_id;
mod server;
#[cfg(test)]
mod tests;

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use activity::Timeouts;
pub use axum::http::StatusCode;
pub use config::Config;
pub(crate) use limits::Deadline;
pub use log_fields::LogField;
pub use problem::{ProblemDetails, problem};
pub use problem_type::ProblemType;
pub use request_id::RequestId;
pub(crate) use server::{Limits, bind, serve};

/// Puts the middleware around a router. Its fallbacks are replaced by ours.
pub(crate) fn harden(router: Router, config: &Config) -> Router {
    router
        .fallback(|| async { not_found() })
        .method_not_allowed_fallback(|| async { method_not_allowed() })
        .layer(compression::layer())
        .layer(from_fn(compression::identity_as_a_last_resort))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .layer(from_fn_with_state(config.http_max_body_bytes, limits::body))
        .layer(from_fn_with_state(config.head(), limits::head))
        .layer(from_fn_with_state(config.request_timeout(), limits::time))
        .layer(CatchPanicLayer::custom(limits::panicked))
        .layer(from_fn(observe::observe))
        .layer(from_fn(request_id::assign))
}

/// The answer to a request that a pod's server refuses by itself: its target is no URI, or its body
/// is not what it says.
pub(crate) fn unsound() -> Response {
    let detail = "The request's target is not a URI, or its body is not encoded as it says.";
    problem(&problems::BAD_REQUEST, detail).into_response()
}

fn not_found() -> ProblemDetails {
    problem(&problems::NOT_FOUND, "There is nothing at this path.")
}

/// The answer to a method that a path does not have. Say in `Allow` which it has; axum says it of the
/// routes that it knows.
pub fn method_not_allowed() -> ProblemDetails {
    let detail = "This path does not support the request's method; see Allow.";
    problem(&problems::METHOD_NOT_ALLOWED, detail)
}
