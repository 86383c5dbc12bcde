//! An invocation's spans: whose they are, and that they leave before the function is frozen.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, routing};
use fake_lambda::{LambdaApi, TRACE};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span,
};
use prost::Message as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::process::Example;

type Spans = Arc<Mutex<Vec<Span>>>;

/// A collector's endpoint.
async fn collector(spans: &Spans) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let receive = async |State(spans): State<Spans>, body: Bytes| {
        let export = ExportTraceServiceRequest::decode(body).expect("an export");
        let scopes = export.resource_spans.into_iter().flat_map(|spans| spans.scope_spans);
        spans.lock().expect("a lock").extend(scopes.flat_map(|spans| spans.spans));
    };
    let router = Router::new().route("/v1/traces", routing::post(receive));
    let router = router.with_state(Arc::clone(spans));
    tokio::spawn(async { axum::serve(listener, router).await });
    endpoint
}

fn request(headers: &Value) -> Value {
    json!({
        "version": "2.0", "rawPath": "/show", "rawQueryString": "", "headers": headers,
        "requestContext": {"http": {"method": "GET", "path": "/show"}}, "isBase64Encoded": false,
    })
}

/// The ids of one invocation's spans: the trace, the parent and the span of the invocation and of
/// the request.
async fn spans_of_one_invocation(headers: &Value) -> [[String; 3]; 2] {
    let spans = Spans::default();
    let endpoint = collector(&spans).await;
    let api = LambdaApi::start().await;
    // Longer than the test may take: what arrives was sent because the invocation ended.
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_BSP_SCHEDULE_DELAY", "600000".to_owned()),
    ];
    let _lambda = Example::lambda("api", &api, &settings);
    let outcome = api.invoke("traced", Duration::from_mins(1), request(headers)).await;
    assert_eq!(outcome.expect("a response").get("statusCode"), Some(&json!(200)));
    api.fetches(2).await;
    let spans = spans.lock().expect("a lock");
    ["invocation", "GET /show"].map(|name| {
        let mut named = spans.iter().filter(|span| span.name == name);
        let span = named.next().expect(name);
        assert!(named.next().is_none(), "one {name}");
        [&span.trace_id, &span.parent_span_id, &span.span_id].map(hex::encode)
    })
}

#[tokio::test]
async fn an_invocations_spans_are_lambdas_and_are_sent_before_the_next_is_fetched() {
    let [invocation, request] = spans_of_one_invocation(&json!({})).await;
    let [trace, parent, span] = invocation;
    assert!(TRACE.contains(&trace.replacen("5759e988", "5759e988-", 1)), "{trace}");
    assert!(TRACE.contains(&format!("Parent={parent};")), "{parent}");
    assert_eq!(request[..2], [trace, span], "nobody else called");
}

#[tokio::test]
async fn a_caller_comes_before_lambda() {
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let headers = json!({"traceparent": format!("00-{trace}-{parent}-01")});
    let [_, request] = spans_of_one_invocation(&headers).await;
    assert_eq!(request[..2], [trace, parent]);
}

#[tokio::test]
async fn a_collector_that_does_not_answer_does_not_hold_up_the_next_invocation() {
    let frozen = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", frozen.local_addr().expect("an address"));
    let api = LambdaApi::start().await;
    let _lambda = Example::lambda("api", &api, &[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]);
    let invocations = async {
        for number in 0..20 {
            let minute = Duration::from_mins(1);
            let outcome =
                api.invoke(&format!("traced-{number}"), minute, request(&json!({}))).await;
            assert_eq!(outcome.expect("a response").get("statusCode"), Some(&json!(200)));
        }
    };
    // Five seconds each would be more than a minute and a half.
    tokio::time::timeout(Duration::from_mins(1), invocations).await.expect("quick invocations");
}
