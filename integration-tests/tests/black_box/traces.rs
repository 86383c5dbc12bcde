//! A function's spans reach the configured collector, the last of them as it drains.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::{Router, routing};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::support::system::{TestSystem, event, eventually};

/// A trace and a span whose ids, as bytes, are text.
const TRACEPARENT: &str = "00-61206e616d6564207472616365212121-612d73656e646572-01";
const TRACE: &[u8] = b"a named trace!!!";
const SENDER: &[u8] = b"a-sender";

fn trace_id() -> &'static str {
    TRACEPARENT.split('-').nth(1).expect("a trace id")
}

type Bodies = Arc<Mutex<Vec<Bytes>>>;

async fn collector(bodies: &Bodies) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let receive = async |State(bodies): State<Bodies>, body: Bytes| {
        bodies.lock().expect("bodies").push(body);
    };
    let router = Router::new().route("/v1/traces", routing::post(receive));
    let router = router.with_state(Arc::clone(bodies));
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}

fn contains(bodies: &Bodies, bytes: &[u8]) -> bool {
    let bodies = bodies.lock().expect("bodies");
    bodies.iter().any(|body| body.windows(bytes.len()).any(|window| window == bytes))
}

/// A command in the sender's trace; each has the same id.
fn traced(data: &Value) -> (String, String) {
    let subject = Uuid::now_v7().to_string();
    let body = event("traced", "create-task", &subject, data);
    let mut body: Value = serde_json::from_str(&body).expect("JSON");
    body["traceparent"] = TRACEPARENT.into();
    (subject, body.to_string())
}

#[tokio::test]
async fn a_dead_letter_and_the_log_name_the_trace_even_if_none_is_exported() {
    let system = TestSystem::new().await;
    let _worker = system.worker().await;
    system.send(&[traced(&json!({"title": "First"}))]).await;
    system.processed(1).await;
    system.send(&[traced(&json!({"title": "Another under its id"}))]).await;
    let report = eventually("the second is a dead letter", async || {
        let letters = system.take_dead_letters().await;
        let attributes = letters.first()?.message_attributes()?;
        let report = attributes["DeadLetter"].string_value().expect("text");
        serde_json::from_str::<Value>(report).ok()
    })
    .await;
    assert_eq!((&report["reason"], &report["trace_id"]), (&"id_reused".into(), &trace_id().into()));
    let rejecting = system.logged("command-worker", |line| line["message"] == "rejecting").await;
    assert_eq!(rejecting["span"]["trace_id"], trace_id());
    let origin = ["function", "source", "event_id"].map(|name| &rejecting[name]);
    assert_eq!(origin, [&json!("command-worker"), &json!("/black-box"), &json!("traced")]);
    assert_eq!(rejecting["tenant"], "acme");
}

#[tokio::test]
async fn a_commands_trace_goes_on_in_the_worker_and_is_sent_as_it_drains() {
    let system = TestSystem::new().await;
    let bodies = Bodies::default();
    let endpoint = collector(&bodies).await;
    // Longer than the test may take: what arrives was sent because the worker stopped.
    let settings =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "600000")];
    let mut worker = system.start_worker("command-worker", &settings);
    system.send(&[traced(&json!({"title": "Traced"}))]).await;
    system.processed(1).await;
    assert!(bodies.lock().expect("bodies").is_empty());
    assert!(worker.stop().await.expect("stopped").success());
    for bytes in [TRACE, SENDER, b"command-worker", b"process test-", b"message"] {
        assert!(contains(&bodies, bytes), "{}", String::from_utf8_lossy(bytes));
    }
}
