//! One log line and two metrics per request.

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};
use metrics::{counter, histogram};
use tokio::time::Instant;
use tracing::info;

use super::RequestId;
use crate::metrics::{HTTP_DURATION, HTTP_REQUESTS};

/// Middleware. It names the route's template and never the path or the query, which hold the ids
/// and the search terms of people.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("(none)", MatchedPath::as_str);
    report(method, route, response.status(), begun);
    response
}

fn report(method: &'static str, route: &str, status: StatusCode, begun: Instant) {
    let elapsed = begun.elapsed();
    let id = RequestId::current();
    info!(
        request_id = id.as_ref().map(RequestId::as_str),
        method,
        route,
        status = status.as_u16(),
        duration_ms = elapsed.as_secs_f64() * 1_000.0,
        "request"
    );
    let labels = [
        ("method", method.to_owned()),
        ("route", route.to_owned()),
        ("status", status.as_str().to_owned()),
    ];
    counter!(HTTP_REQUESTS, &labels).increment(1);
    histogram!(HTTP_DURATION, &labels).record(elapsed.as_secs_f64());
}

/// A client may invent methods, but not labels.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
