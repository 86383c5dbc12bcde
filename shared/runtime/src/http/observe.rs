//! One span, one log line and two metrics per request.

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode},
    response::Response,
};
use opentelemetry::trace::{SpanContext, Status, TraceContextExt as _};
use tokio::time::Instant;
use tracing::{Instrument as _, Span, error_span, field::Empty, info};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::{
    RequestId,
    log_fields::{LogFields, collect},
    request_metrics::RequestMetrics,
};
use crate::trace;

/// What nginx calls a request whose client closed the connection before the response.
pub(super) const CLIENT_CLOSED: u16 = 499;
/// The route of a request that has none.
pub(super) const NO_ROUTE: &str = "(none)";

/// Middleware. It names the route's template and never the path or the query, which hold the ids
/// and the search terms of people.
pub(super) async fn observe<F: Future<Output = Response>>(
    metrics: &RequestMetrics,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let method = known(request.method());
    let span = error_span!(
        parent: None, "request", otel.name = Empty, otel.kind = "server", trace_id = Empty,
        span_id = Empty,
    );
    let is_exported = trace::begin(&span, sender(request.headers()).as_ref());
    collect(span.clone(), async {
        let observed = Observed::begin(metrics, method, is_exported);
        let response = next(request).instrument(span).await;
        observed.answered(response.status());
        response
    })
    .await
}

/// Middleware of the router, which knows a request's route: the lines of the request name it.
pub(super) fn routed(request: Request) -> Request {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let (method, path) = (known(request.method()), path(route.as_ref()));
    let name = [method, " ", path].concat();
    let _ = LogFields::with(|fields| {
        fields.span.record("otel.name", name);
        fields.route.clone_from(&route);
    });
    request
}

fn path(route: Option<&MatchedPath>) -> &str {
    route.map_or(NO_ROUTE, MatchedPath::as_str)
}

/// A request, reported when it is dropped: hyper drops what serves a request when the client closes
/// the connection, and so does a shutdown that cuts it off.
struct Observed<'a> {
    metrics: &'a RequestMetrics,
    method: &'static str,
    is_exported: bool,
    begun: Instant,
    status: Option<StatusCode>,
}

impl<'a> Observed<'a> {
    fn begin(metrics: &'a RequestMetrics, method: &'static str, is_exported: bool) -> Self {
        metrics.in_flight.increment(1.0);
        Self { metrics, method, is_exported, begun: Instant::now(), status: None }
    }

    fn answered(mut self, status: StatusCode) {
        self.status = Some(status);
    }

    fn report(&self, status: u16, fields: &LogFields) {
        let (method, route) = (self.method, path(fields.route.as_ref()));
        let elapsed = self.begun.elapsed();
        let id = RequestId::current();
        info!(
            parent: &fields.span,
            request_id = id.as_ref().map(RequestId::as_str),
            method,
            route,
            status,
            aborted = self.status.is_none().then_some(true),
            tenant = fields.tenant.as_deref(),
            actor = fields.actor.as_deref(),
            cache = fields.cache.as_deref(),
            duration_ms = elapsed.as_secs_f64() * 1_000.0,
            "request"
        );
        self.metrics.count(method, route, status, elapsed);
        if self.is_exported {
            self.export(&fields.span, route, status);
        }
    }

    /// The route was not known when the span began.
    fn export(&self, span: &Span, route: &str, status: u16) {
        span.context().span().update_name(format!("{} {route}", self.method));
        span.set_attribute("http.request.method", self.method);
        span.set_attribute("http.route", route.to_owned());
        span.set_attribute("http.response.status_code", i64::from(status));
        if self.status.is_some_and(|status| status.is_server_error()) {
            span.set_status(Status::error(""));
        }
    }
}

impl Drop for Observed<'_> {
    fn drop(&mut self) {
        let status = self.status.map_or(CLIENT_CLOSED, |status| status.as_u16());
        let _ = LogFields::with(|fields| self.report(status, fields));
        self.metrics.in_flight.decrement(1.0);
    }
}

/// By W3C's header, else by that of AWS's load balancers and gateways, else by the invocation.
fn sender(headers: &HeaderMap) -> Option<SpanContext> {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let aws = || trace::aws(header(trace::AWS_HEADER)?);
    header(trace::TRACEPARENT).and_then(trace::w3c).or_else(aws).or_else(trace::invoker)
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

#[cfg(test)]
mod tests {
    use axum::{Router, routing::get};
    use tokio::{io::AsyncWriteExt as _, net::TcpStream, sync::mpsc, task::yield_now};

    use super::super::{
        LogField,
        tests::{Server, log::Observer},
    };

    /// A handler that never answers, once it has announced itself.
    fn never(started: mpsc::Sender<()>) -> Router {
        let handler = async move || {
            LogField::Tenant.log("acme");
            started.send(()).await.unwrap();
            std::future::pending::<()>().await;
        };
        Router::new().route("/things/{id}", get(handler))
    }

    #[tokio::test]
    async fn a_request_whose_client_disconnected_is_logged_and_counted() {
        let observer = Observer::start();
        let (started, mut running) = mpsc::channel(1);
        let server =
            Server::with(never(started), |config| config.http_request_timeout_ms = 60_000).await;
        let mut client = TcpStream::connect(server.address).await.unwrap();
        let request = "GET /things/7 HTTP/1.1\r\nhost: t\r\nx-request-id: gone\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        running.recv().await.unwrap();
        assert!(observer.requests().is_empty());
        drop(client);
        while observer.requests().is_empty() {
            yield_now().await;
        }

        let line = &observer.requests()[0];
        for (field, value) in
            [("request_id", "gone"), ("route", "/things/{id}"), ("tenant", "acme")]
        {
            assert_eq!(line[field], value, "{line}");
        }
        assert_eq!((&line["status"], &line["aborted"]), (&499.into(), &true.into()), "{line}");
        assert!(line["duration_ms"].is_number());
        let metrics = observer.metrics();
        let labels = r#"{method="GET",route="/things/{id}",status="499"} 1"#;
        assert!(metrics.contains(&format!("http_requests_total{labels}")), "{metrics}");
        assert!(metrics.contains("http_request_duration_seconds_count{"), "{metrics}");
    }
}
