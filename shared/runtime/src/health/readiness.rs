//! Changes of readiness, for the log: a probe's answer says that a function is not ready, but nobody
//! reads it afterwards.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::interval;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::dependencies::{Dependencies, Results};

/// How often readiness is checked if nobody probes it.
const PERIOD: Duration = Duration::from_secs(10);

/// What readiness needs, and how it was last.
pub(super) struct Readiness {
    dependencies: Dependencies,
    /// By dependency, whether it was available.
    last: Mutex<BTreeMap<&'static str, bool>>,
}

impl Readiness {
    pub(super) fn of(dependencies: Dependencies) -> Self {
        Self { dependencies, last: Mutex::default() }
    }

    /// Checks what readiness needs, and logs what has changed.
    pub(super) async fn check(&self) -> Results {
        let results = self.dependencies.check_readiness().await;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        for (&dependency, result) in &results {
            let was_available = last.insert(dependency, result.is_ok()).unwrap_or(true);
            match result {
                Err(error) if was_available => {
                    warn!(dependency, error = format!("{error:#}"), "not ready");
                }
                Ok(()) if !was_available => info!(dependency, "ready again"),
                _ => {}
            }
        }
        drop(last);
        results
    }

    /// Checks now and then until a drain.
    pub(super) async fn watch(&self, draining: &CancellationToken) {
        let mut ticks = interval(PERIOD);
        let checks = async {
            loop {
                ticks.tick().await;
                self.check().await;
            }
        };
        draining.run_until_cancelled(checks).await;
    }
}
