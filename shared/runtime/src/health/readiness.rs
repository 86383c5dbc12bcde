//! Changes of readiness, for the log: a probe's answer says that a function is not ready, but nobody
//! reads it afterwards.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
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
    running: Mutex<Option<WeakShared<Check>>>,
}

/// Its results, for all who wait for them.
type Check = BoxFuture<'static, Arc<Results>>;

impl Readiness {
    pub(super) fn of(dependencies: Dependencies) -> Self {
        Self { dependencies, last: Mutex::default(), running: Mutex::default() }
    }

    /// Checks what readiness needs, and logs what has changed.
    pub(super) async fn check(&self) -> Arc<Results> {
        let results = self.running().await;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        for (&dependency, result) in results.iter() {
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

    /// The check that runs, or a new one: a probe that comes while another is answered needs no
    /// connection of its own.
    fn running(&self) -> Shared<Check> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let unfinished = running.as_ref().and_then(WeakShared::upgrade);
        unfinished.filter(|check| check.peek().is_none()).unwrap_or_else(|| {
            let dependencies = self.dependencies.clone();
            let check = async move { Arc::new(dependencies.check_readiness().await) };
            let check = check.boxed().shared();
            *running = check.downgrade();
            check
        })
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
