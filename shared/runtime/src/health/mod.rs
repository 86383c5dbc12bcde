//! The health endpoint: for the platform and the operators' dashboards.
//!
//! It has a port of its own, so that it is never exposed by an ingress and never waits behind
//! requests: `/livez` (restart me?), `/readyz` (send me work?), `/metrics` (Prometheus).

mod dependencies;
mod live;
mod readiness;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use tokio::time::interval;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::info;

use crate::{
    http::{self, Limits, Timeouts},
    metrics::Metrics,
    shutdown::Stop,
};

pub(crate) use dependencies::{Dependencies, Failure};
pub(crate) use live::Pulse;
use readiness::Readiness;

/// How often the metrics' buffers are folded, which bounds their memory between two scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// A probe needs little, and must not starve behind a slow client.
const LIMITS: Limits = Limits {
    max_connections: 64,
    headers: 100,
    timeouts: Timeouts {
        head: Duration::from_secs(5),
        keep_alive: Duration::from_secs(75),
        write: Duration::from_secs(5),
    },
    lame_duck: Duration::ZERO,
    drain: Duration::ZERO,
};

/// What health means for one service.
pub(crate) struct Health {
    draining: CancellationToken,
    dependencies: Dependencies,
    readiness: Readiness,
    pulses: Vec<Pulse>,
}

impl Health {
    /// Not ready once `draining` is cancelled.
    pub(crate) fn new(draining: CancellationToken) -> Self {
        let dependencies = Dependencies::default();
        let readiness = Readiness::of(dependencies.clone());
        Self { draining, dependencies, readiness, pulses: Vec::new() }
    }

    /// What the circuit breakers check, and readiness in part.
    pub(crate) fn dependencies(&self) -> &Dependencies {
        &self.dependencies
    }

    /// Liveness needs `pulse` to beat.
    pub(crate) fn watch(&mut self, pulse: Pulse) {
        self.pulses.push(pulse);
    }
}

/// Opens the port and answers until the handle is dropped.
pub(crate) async fn serve(
    health: Health,
    address: SocketAddr,
    metrics: Metrics,
) -> anyhow::Result<AbortOnDropHandle<()>> {
    let listener = http::bind(address, "HEALTH_ADDR").await?;
    info!(address = %listener.local_addr()?, "serving health");
    let health = Arc::new(health);
    let router =
        router(Arc::clone(&health)).route("/metrics", get(render).with_state(metrics.clone()));
    // Health answers while everything else drains: it ends with the process, not with the token.
    let serve = http::serve(listener, router, LIMITS, Stop::default());
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        tokio::join!(serve, upkeep(metrics), health.readiness.watch(&health.draining));
    })))
}

fn router(health: Arc<Health>) -> Router {
    Router::new().route("/livez", get(livez)).route("/readyz", get(readyz)).with_state(health)
}

async fn livez(State(health): State<Arc<Health>>) -> Response {
    let stopped: Vec<_> =
        health.pulses.iter().filter(|pulse| !pulse.beats()).map(Pulse::name).collect();
    (status(stopped.is_empty()), Json(json!({ "live": stopped.is_empty(), "stopped": stopped })))
        .into_response()
}

async fn readyz(State(health): State<Arc<Health>>) -> Response {
    let draining = health.draining.is_cancelled();
    let checks = health.readiness.check().await;
    let ready = !draining && checks.values().all(Result::is_ok);
    let body =
        json!({ "ready": ready, "draining": draining, "checks": dependencies::describe(&checks) });
    (status(ready), Json(body)).into_response()
}

async fn render(State(metrics): State<Metrics>) -> String {
    metrics.render()
}

async fn upkeep(metrics: Metrics) {
    let mut ticks = interval(UPKEEP);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

fn status(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
