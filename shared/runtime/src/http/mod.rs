//! The HTTP host: one axum router behind the same limits, logs and errors in every function.
//!
//! From the outside in, a request passes: a request id (`x-request-id`, taken over if it is sane) ·
//! its span, one access-log line and the metrics · a net for panics (500) · the request timeout (503)
//! · the limits of its head (431) and its body (413) · the compression of the answer · the router,
//! whose 404 and 405 speak problem details too. Connections have limits of their own: how many there
//! are, how long a request's head may take to arrive, how long a connection may be idle, and how long
//! a client may leave a response unread.
//!
//! Bodies of 1 KiB and more are sent as gzip to clients that accept it, but not under a strong entity tag,
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
