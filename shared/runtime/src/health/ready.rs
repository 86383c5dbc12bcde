//! Readiness: the dependencies without which work should go elsewhere.

use std::{collections::BTreeMap, time::Duration};

use anyhow::anyhow;
use futures::future::{BoxFuture, join_all};
use tokio::time::timeout;

/// Time for all checks, as they run side by side. A probe's own timeout should be longer.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// A named dependency and how to ask whether it is there.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn Fn() -> BoxFuture<'static, anyhow::Result<()>> + Send + Sync>,
}

/// Each check's result by name.
pub(crate) type Results = BTreeMap<&'static str, anyhow::Result<()>>;

/// Runs the checks side by side.
pub(crate) async fn run(checks: &[Check]) -> Results {
    join_all(checks.iter().map(bounded)).await.into_iter().collect()
}

async fn bounded(check: &Check) -> (&'static str, anyhow::Result<()>) {
    let result = timeout(CHECK_TIMEOUT, (check.run)())
        .await
        .unwrap_or_else(|_| Err(anyhow!("no answer within {CHECK_TIMEOUT:?}")));
    (check.name, result)
}

/// `ok`, or why not. The port is internal, and operators read it.
pub(crate) fn describe(results: &Results) -> BTreeMap<&'static str, String> {
    let describe = |result: &anyhow::Result<()>| match result {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("{error:#}"),
    };
    results.iter().map(|(name, result)| (*name, describe(result))).collect()
}
