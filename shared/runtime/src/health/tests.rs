//! The states of health, as a probe sees them.

use std::{
    future::pending,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use anyhow::bail;
use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use futures::FutureExt as _;
use metrics::with_local_recorder;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tokio::time::{advance, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::*;

async fn get(router: &Router, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 65_536).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

fn health() -> (Health, CancellationToken) {
    let draining = CancellationToken::new();
    (Health::new(draining.clone()), draining)
}

#[tokio::test]
async fn ready_until_it_drains() {
    let (health, draining) = health();
    health.dependencies().declare("database", true, || async { anyhow::Ok(()) });
    let router = router(Arc::new(health));
    let ready = json!({ "ready": true, "draining": false, "checks": { "database": "ok" } });
    assert_eq!(get(&router, "/readyz").await, (StatusCode::OK, ready));
    draining.cancel();
    let (status, body) = get(&router, "/readyz").await;
    assert_eq!((status, &body["draining"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(true)));
    assert_eq!(get(&router, "/livez").await.0, StatusCode::OK, "a drain is no reason to restart");
}

#[tokio::test(start_paused = true)]
async fn not_ready_while_a_dependency_is_down_or_silent() {
    let (health, _) = health();
    health.dependencies().declare("up", true, || async { anyhow::Ok(()) });
    health.dependencies().declare("down", true, || async { bail!("connection refused") });
    health.dependencies().declare("silent", true, pending::<anyhow::Result<()>>);
    let (status, body) = get(&router(Arc::new(health)), "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let checks =
        json!({ "up": "ok", "down": "connection refused", "silent": "no answer within 2s" });
    assert_eq!(body["checks"], checks);
}

#[tokio::test(start_paused = true)]
async fn probes_at_the_same_time_share_a_check_and_the_next_has_its_own() {
    let (health, _) = health();
    let checks = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&checks);
    health.dependencies().declare("slow", true, move || {
        count.fetch_add(1, Relaxed);
        sleep(Duration::from_secs(1)).map(anyhow::Ok)
    });
    let router = router(Arc::new(health));
    // One whose client is gone leaves nothing behind.
    let gone = timeout(Duration::from_millis(1), get(&router, "/readyz")).await;
    assert!(gone.is_err());
    let (first, second) = tokio::join!(get(&router, "/readyz"), get(&router, "/readyz"));
    assert_eq!((first.0, second.0), (StatusCode::OK, StatusCode::OK));
    assert_eq!(checks.load(Relaxed), 2);
    assert_eq!(get(&router, "/readyz").await.0, StatusCode::OK);
    assert_eq!(checks.load(Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn not_live_once_a_pulse_has_stopped() {
    let (mut health, _) = health();
    let limit = Duration::from_secs(70);
    let (first, second) = (Pulse::new("first", limit), Pulse::new("second", limit));
    health.watch(first.clone());
    health.watch(second.clone());
    let router = router(Arc::new(health));
    advance(limit).await;
    assert_eq!(get(&router, "/livez").await.0, StatusCode::OK);
    first.beat();
    advance(Duration::from_secs(1)).await;
    let (status, body) = get(&router, "/livez").await;
    assert_eq!((status, &body["stopped"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(["second"])));
    second.beat();
    assert_eq!(get(&router, "/livez").await.0, StatusCode::OK);
}

#[tokio::test]
async fn renders_metrics_and_names_a_taken_port() {
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, || metrics::counter!("things_total").increment(3));
    let metrics = Metrics::of(recorder.handle());
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = http::bind(address, "HEALTH_ADDR").await.unwrap();
    let taken = listener.local_addr().unwrap();
    let (health, _) = health();
    let refused = serve(health, taken, metrics.clone()).await;
    let error = format!("{:#}", refused.err().unwrap());
    assert!(error.contains("HEALTH_ADDR"), "{error}");
    assert!(render(State(metrics)).await.contains("things_total 3"));
}
