//! The dependencies of a function: without one of them work should go elsewhere, or wait.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::anyhow;
use futures::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use tokio::time::timeout;

/// Time for all checks, as they run side by side. A probe's own timeout should be longer.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The declared dependencies of a function. Its consumers' circuit breakers check them all; readiness
/// needs some of them. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Dependencies(Arc<Mutex<Vec<Arc<Check>>>>);

/// A named dependency and how to check it.
struct Check {
    name: &'static str,
    is_for_readiness: bool,
    run: Box<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>,
}

/// A dependency that is unavailable.
pub(crate) struct Failure {
    pub(crate) dependency: &'static str,
    pub(crate) error: String,
}

/// Each check's result by name.
pub(crate) type Results = BTreeMap<&'static str, anyhow::Result<()>>;

impl Dependencies {
    /// `is_for_readiness` if the function is not ready without it.
    pub(crate) fn declare<E, F>(
        &self,
        name: &'static str,
        is_for_readiness: bool,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) where
        E: Into<anyhow::Error>,
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        let run = move || check().map(|result| result.map_err(Into::into)).boxed();
        self.checks().push(Arc::new(Check { name, is_for_readiness, run: Box::new(run) }));
    }

    /// Runs the checks that readiness needs, side by side.
    pub(super) async fn check_readiness(&self) -> Results {
        self.run(|check| check.is_for_readiness).await
    }

    async fn run(&self, is_meant: impl Fn(&Check) -> bool) -> Results {
        let mut checks = self.checks().clone();
        checks.retain(|check| is_meant(check));
        join_all(checks.iter().map(|check| bounded(check))).await.into_iter().collect()
    }

    /// One that is unavailable, if any is.
    pub(crate) async fn first_failure(&self) -> Option<Failure> {
        let failed = |(dependency, result): (_, anyhow::Result<()>)| {
            let error = format!("{:#}", result.err()?);
            Some(Failure { dependency, error })
        };
        self.run(|_| true).await.into_iter().find_map(failed)
    }

    fn checks(&self) -> MutexGuard<'_, Vec<Arc<Check>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn bounded(check: &Check) -> (&'static str, anyhow::Result<()>) {
    let result = timeout(CHECK_TIMEOUT, (check.run)())
        .await
        .unwrap_or_else(|_| Err(anyhow!("no answer within {CHECK_TIMEOUT:?}")));
    (check.name, result)
}

/// `ok`, or why not. The port is internal, and operators read it.
pub(super) fn describe(results: &Results) -> BTreeMap<&'static str, String> {
    let describe = |result: &anyhow::Result<()>| match result {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("{error:#}"),
    };
    results.iter().map(|(name, result)| (*name, describe(result))).collect()
}
