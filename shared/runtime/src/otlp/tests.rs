//! What a collector on loopback receives.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes as Body, extract::State, http::Request as HttpRequest, routing};
use opentelemetry::trace::{Span as _, Tracer as _};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{Span, span::SpanKind},
};
use prost::Message as _;
use tokio::net::TcpListener;
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::{layer::SubscriberExt as _, registry};

use super::*;
use crate::{
    http::{self, Answer as _},
    telemetry,
};

pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub(crate) const SPAN: &str = "00f067aa0ba902b7";

type Exports = Arc<Mutex<Vec<ExportTraceServiceRequest>>>;

/// A collector, and the spans of the current thread on their way to it.
pub(crate) struct Collector {
    exports: Exports,
    provider: SdkTracerProvider,
    _guard: DefaultGuard,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let exports = Exports::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/v1/traces", routing::post(receive))
            .with_state(Arc::clone(&exports));
        tokio::spawn(async { axum::serve(listener, router).await });
        let export = Export::new(&endpoint, "test-function".to_owned(), Breaker::default());
        let provider = export.unwrap().provider;
        let spans = telemetry::spans(provider.tracer("runtime"));
        Self { exports, provider, _guard: set_default(registry().with(spans)) }
    }

    /// Everything that has ended.
    pub(crate) async fn spans(&self) -> Vec<Span> {
        let provider = self.provider.clone();
        spawn_blocking(move || provider.force_flush()).await.unwrap().unwrap();
        let exports = self.exports.lock().unwrap();
        let resources = exports.iter().flat_map(|export| &export.resource_spans);
        resources
            .flat_map(|spans| &spans.scope_spans)
            .flat_map(|spans| spans.spans.clone())
            .collect()
    }
}

async fn receive(State(exports): State<Exports>, body: Body) {
    exports.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
}

/// The caller, as a header would name it.
pub(crate) fn traceparent(span: &str) -> String {
    format!("00-{TRACE}-{span}-01")
}

#[tokio::test]
async fn a_requests_span_is_a_child_of_its_caller_and_named_by_its_route() {
    let collector = Collector::start().await;
    let router = Router::new().route("/things/{id}", routing::get(|| async { "ok" }));
    let router = http::harden(router, &http::Config::for_test());
    for (name, value) in [
        ("traceparent", traceparent(SPAN)),
        (
            "x-amzn-trace-id",
            format!("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent={SPAN};Sampled=1"),
        ),
        ("x-request-id", "no-caller".to_owned()),
    ] {
        let request = HttpRequest::get("/things/7?secret=1").header(name, value);
        let request = request.body(axum::body::Body::empty()).unwrap();
        router.answer(request).await;
    }

    let spans = collector.spans().await;
    assert_eq!(spans.len(), 3);
    for span in &spans {
        assert_eq!((span.name.as_str(), span.kind()), ("GET /things/{id}", SpanKind::Server));
        assert!(!format!("{span:?}").contains("secret"));
    }
    for child in &spans[..2] {
        assert_eq!(
            (hex::encode(&child.trace_id), hex::encode(&child.parent_span_id)),
            (TRACE.into(), SPAN.into())
        );
    }
    assert!(spans[2].parent_span_id.is_empty() && hex::encode(&spans[2].trace_id) != TRACE);
}

#[tokio::test]
async fn what_the_caller_does_not_sample_is_not_sent() {
    let collector = Collector::start().await;
    let router = http::harden(Router::new(), &http::Config::for_test());
    let unsampled = format!("00-{TRACE}-{SPAN}-00");
    let request = HttpRequest::get("/").header("traceparent", unsampled);
    router.answer(request.body(axum::body::Body::empty()).unwrap()).await;
    assert!(collector.spans().await.is_empty());
}

/// A collector whose connections succeed and are never answered.
async fn frozen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    (listener, endpoint)
}

fn end_a_span(export: &Export) {
    export.provider.tracer("test").start("span").end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_collector_is_waited_for_once_and_used_again_when_it_answers() {
    let (listener, endpoint) = frozen().await;
    let open_for = Duration::from_secs(5);
    let export = Export::new(&endpoint, "test".to_owned(), Breaker::opening_for(open_for)).unwrap();
    end_a_span(&export);
    assert!(!export.flush(Duration::from_millis(50)).await, "nothing was sent");
    assert!(export.breaker.is_open());
    end_a_span(&export);
    // It would not answer within any time.
    timeout(Duration::from_secs(2), export.flush(Duration::from_hours(1))).await.expect("no wait");

    let exports = Exports::default();
    let router = Router::new().route("/v1/traces", routing::post(receive));
    let router = router.with_state(Arc::clone(&exports));
    tokio::spawn(async { axum::serve(listener, router).await });
    while exports.lock().unwrap().is_empty() || export.breaker.is_open() {
        end_a_span(&export);
        export.flush(Duration::from_secs(1)).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
