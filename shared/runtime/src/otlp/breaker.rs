//! A collector that cannot be reached costs little: after a failure nothing is sent to it for a while,
//! and nothing waits for it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use metrics::counter;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use tokio::time::Instant;

use crate::{backoff::exponential, metrics::SPANS_DROPPED};

/// How long the breaker is open after the first failure; doubled by each further one.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(2);

/// A circuit breaker. Clones share it. Half-open, it lets all spans through until the next failure.
#[derive(Debug, Clone)]
pub(super) struct Breaker(Arc<State>);

#[derive(Debug)]
struct State {
    first: Duration,
    failures: AtomicU32,
    closes_at: Mutex<Option<Instant>>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self::opening_for(FIRST)
    }
}

impl Breaker {
    pub(super) fn opening_for(first: Duration) -> Self {
        let (failures, closes_at) = Default::default();
        Self(Arc::new(State { first, failures, closes_at }))
    }

    pub(super) fn is_open(&self) -> bool {
        let closes_at = self.0.closes_at.lock().unwrap_or_else(PoisonError::into_inner);
        closes_at.is_some_and(|at| Instant::now() < at)
    }

    /// An export failed, or took longer than anybody waits for.
    pub(super) fn fail(&self) {
        let failures = self.0.failures.fetch_add(1, Ordering::Relaxed);
        let open_for = exponential(self.0.first, failures, LONGEST);
        self.set(Some(Instant::now() + open_for));
    }

    fn succeed(&self) {
        self.0.failures.store(0, Ordering::Relaxed);
        self.set(None);
    }

    fn set(&self, closes_at: Option<Instant>) {
        *self.0.closes_at.lock().unwrap_or_else(PoisonError::into_inner) = closes_at;
    }
}

/// An exporter that drops spans while the breaker is open, and counts those that it could not send.
#[derive(Debug)]
pub(super) struct Guarded<E> {
    pub(super) exporter: E,
    pub(super) breaker: Breaker,
}

impl<E: SpanExporter> SpanExporter for Guarded<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        if self.breaker.is_open() {
            counter!(SPANS_DROPPED).increment(spans);
            // The SDK logs each error, and that of the failure is enough.
            return Ok(());
        }
        let result = self.exporter.export(batch).await;
        if result.is_ok() {
            self.breaker.succeed();
        } else {
            self.breaker.fail();
            counter!(SPANS_DROPPED).increment(spans);
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::{error::OTelSdkError, trace::SdkTracerProvider};
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_failure_opens_it_for_longer_and_a_success_closes_it() {
        let breaker = Breaker::default();
        assert!(!breaker.is_open());
        for seconds in [5, 10, 20, 40, 80, 120, 120] {
            breaker.fail();
            advance(Duration::from_secs(seconds - 1)).await;
            assert!(breaker.is_open(), "{seconds}");
            advance(Duration::from_secs(1)).await;
            assert!(!breaker.is_open(), "{seconds}");
        }
        breaker.succeed();
        breaker.fail();
        advance(FIRST).await;
        assert!(!breaker.is_open());
    }

    #[derive(Debug)]
    struct Failing;

    impl SpanExporter for Failing {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            Err(OTelSdkError::InternalFailure("no collector".to_owned()))
        }
    }

    #[test]
    fn spans_that_fail_and_those_that_are_not_tried_are_counted() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let exporter = Guarded { exporter: Failing, breaker: Breaker::default() };
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter).build();
        metrics::with_local_recorder(&recorder, || {
            for _ in 0..3 {
                provider.tracer("test").start("span").end();
            }
        });
        assert!(recorder.handle().render().contains("spans_dropped_total 3"));
    }
}
