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

/// Declared dependencies of a function: those that make it ready, or those that its consumers' circuit
/// breakers check. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Dependencies(Arc<Mutex<Vec<Arc<Check>>>>);

/// A named dependency and how to ask whether it is there.
struct Check {
    name: &'static str,
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
    pub(crate) fn declare<E, F>(
        &self,
        name: &'static str,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) where
        E: Into<anyhow::Error>,
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        let run = move || check().map(|result| result.map_err(Into::into)).boxed();
        self.checks().push(Arc::new(Check { name, run: Box::new(run) }));
    }

    /// Takes over what others declared last.
    pub(super) fn share_last(&self, others: &Self) {
        let last = others.checks().last().cloned();
        self.checks().extend(last);
    }

    /// Runs the checks side by side.
    pub(crate) async fn check(&self) -> Results {
        let checks = self.checks().clone();
        join_all(checks.iter().map(|check| bounded(check))).await.into_iter().collect()
    }

    /// One that is unavailable, if any is.
    pub(crate) async fn first_failure(&self) -> Option<Failure> {
        let failed = |(dependency, result): (_, anyhow::Result<()>)| {
            let error = format!("{:#}", result.err()?);
            Some(Failure { dependency, error })
        };
        self.check().await.into_iter().find_map(failed)
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
