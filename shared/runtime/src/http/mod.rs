//! The HTTP host: one axum router behind the same limits, logs and errors in every function.
//!
//! From the outside in, a request passes: a request id (`x-request-id`, taken over if it is sane) ·
//! its span, one access-log line and the metrics · the router, which knows its route · the answers to
//! browsers (CORS) · the limits of its head (431) and its body (413) · the compression of the answer · the
//! answer to a panic (500) · the request timeout (503) · its handler. The router's 404 and 405 speak
//! problem details too. Connections have limits of their own: how many there are, how long a request's head
//! may take to arrive, how long a connection may be idle, and how long a client may leave a response unread.
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

use std::{convert::Infallible, future::ready, sync::Arc};

use axum::{
    Router,
    extract::Request,
    response::Response,
    routing::{Route, get},
};
use futures::{FutureExt as _, future::Either};
use tower::{Service, ServiceBuilder, layer::layer_fn, service_fn};

pub(crate) use activity::Timeouts;
pub use axum::http::StatusCode;
pub use config::Config;
pub(crate) use limits::Deadline;
use limits::RequestLimits;
pub(crate) use listener::Limits;
pub use log_fields::LogField;
pub use problem::{ProblemDetails, problem};
pub use problem_type::ProblemType;
pub use request_id::RequestId;
use request_metrics::RequestMetrics;
pub use responses::method_not_allowed;
use responses::not_found;
pub(crate) use responses::unsound;
pub(crate) use server::{Answer, bind, serve};

/// Where a load balancer that knows the port of the requests only finds that something listens there.
const HEALTH: &str = "/healthz";

/// A router, and what is around it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hardened {
    metrics: Arc<RequestMetrics>,
    router: Router,
}

impl Answer for Hardened {
    async fn answer(&self, request: Request) -> Response {
        let route = |request| self.router.answer(request);
        let observe = |request| observe::observe(&self.metrics, request, route);
        request_id::assign(request, observe).await
    }
}

/// Puts the middleware around a router. Its fallbacks are replaced by ours.
///
/// Each layer of a router is a box that every request clones, with all boxes in it, and so is each
/// function that is middleware to axum. So there is one layer, and what needs no route is outside.
pub(crate) fn harden(router: Router, config: &Config) -> Hardened {
    let limits = RequestLimits {
        body_bytes: config.http_max_body_bytes,
        head: config.head(),
        time: config.request_timeout(),
    };
    let layer = ServiceBuilder::new()
        .map_request(observe::routed)
        .option_layer(cors::layer(&config.http_cors_origins))
        .layer(layer_fn(move |route| limited(limits, route)));
    let router = base_path::below(&config.http_base_path, router)
        .route(HEALTH, get(|| async { StatusCode::OK }))
        .fallback(|| async { not_found() })
        .method_not_allowed_fallback(|| async { method_not_allowed() })
        .layer(layer);
    Hardened { metrics: Arc::new(RequestMetrics::new()), router }
}

/// What a request may take, around its route, which is always ready.
fn limited(
    limits: RequestLimits,
    mut route: Route,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Sync {
    service_fn(move |request: Request| {
        if let Some(refusal) = limits.refusal(&request) {
            return Either::Left(ready(Ok(refusal)));
        }
        let time = limits.time(&request);
        let accepted = compression::accepted(&request);
        let answer = route.call(limits.bound(request));
        Either::Right(async move {
            let answer = answer.map(|Ok(response)| response);
            let answer = limits::catch_panics(limits::within(time, answer)).await;
            let answer = limits.explain(answer);
            if compression::is_small(&answer) {
                return Ok(answer);
            }
            Ok(Box::pin(compression::compress(accepted, answer)).await)
        })
    })
}
