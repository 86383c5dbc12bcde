//! What is done while the breaker is open: the declared dependencies are checked, with backoff.

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{CircuitBreaker, State};
use crate::health::Failure;

impl CircuitBreaker {
    /// Probes whenever the breaker is open, until shutdown. Then batches that wait are refused, to be
    /// given back. Without a declared dependency every probe passes, and trials alone decide.
    pub(crate) async fn probe(&self, shutdown: CancellationToken) {
        let probing = async {
            loop {
                self.until_due().await;
                self.probe_once().await;
            }
        };
        shutdown.run_until_cancelled(probing).await;
        self.update(State::drain);
    }

    /// Waits until the breaker is open and its next probe is due.
    async fn until_due(&self) {
        loop {
            let changed = self.changed.notified();
            let probe_at = self.state().probe_at();
            match probe_at {
                None => changed.await,
                Some(at) if at <= Instant::now() => return,
                Some(at) => {
                    let _ = timeout_at(at, changed).await;
                }
            }
        }
    }

    /// Checks every dependency; half-opens the breaker if all answer as they should.
    pub(super) async fn probe_once(&self) {
        if let Some(Failure { dependency, error }) = self.dependencies.first_failure().await {
            info!(dependency, error, "the circuit breaker stays open: a check fails");
            self.update(|state| state.probe_failed(&self.jitter));
        } else {
            info!("the circuit breaker is half-open: the checks pass, one batch is tried");
            self.update(State::half_open);
        }
    }
}
