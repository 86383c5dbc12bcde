//! One span, one log line and two metrics per request.

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode},
    middleware::Next,
    response::Response,
};
use metrics::{counter, histogram};
use opentelemetry::trace::{SpanContext, Status};
use tokio::time::Instant;
use tracing::{Instrument as _, Span, error_span, field::Empty, info};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{
    RequestId,
    log_fields::{LogFields, collect},
};
use crate::{
    metrics::{HTTP_DURATION, HTTP_REQUESTS},
    trace,
};

/// Middleware. It names the route's template and never the path or the query, which hold the ids
/// and the search terms of people.
pub(super) async fn observe(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("(none)", MatchedPath::as_str);
    let span = span(method, route, sender(request.headers()).as_ref());
    let (response, fields) = collect(next.run(request).instrument(span.clone())).await;
    let status = response.status();
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.set_status(Status::error(""));
    }
    span.in_scope(|| report(method, route, status, begun, &fields));
    response
}

/// The request's span; whoever called us is its parent.
fn span(method: &'static str, route: &str, caller: Option<&SpanContext>) -> Span {
    let span = error_span!(
        parent: None, "request", otel.name = format!("{method} {route}"), otel.kind = "server",
        trace_id = Empty, span_id = Empty,
    );
    span.set_attribute("http.request.method", method);
    span.set_attribute("http.route", route.to_owned());
    trace::begin(&span, caller);
    span
}

/// By W3C's header, else by that of AWS's load balancers and gateways, else by the invocation.
fn sender(headers: &HeaderMap) -> Option<SpanContext> {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let aws = || trace::aws(header(trace::AWS_HEADER)?);
    header(trace::TRACEPARENT).and_then(trace::w3c).or_else(aws).or_else(trace::invoker)
}

fn report(
    method: &'static str,
    route: &str,
    status: StatusCode,
    begun: Instant,
    fields: &LogFields,
) {
    let elapsed = begun.elapsed();
    let id = RequestId::current();
    info!(
        request_id = id.as_ref().map(RequestId::as_str),
        method,
        route,
        status = status.as_u16(),
        tenant = fields.tenant,
        cache = fields.cache,
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
