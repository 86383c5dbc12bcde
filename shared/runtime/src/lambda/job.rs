//! A job in a Lambda: each event, such as a schedule's, is an order to run it.

use anyhow::anyhow;
use lambda_runtime::LambdaEvent;
use serde::de::IgnoredAny;
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;

use super::runtime::{Fault, deadline_now, run};

/// Runs `job` at each invocation. One that fails, or that the deadline cuts off, fails the
/// invocation, which Lambda tries again by its own rules.
pub(crate) async fn serve<F>(
    job: impl Fn() -> F + Send + Sync + 'static,
    shutdown: CancellationToken,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let invoke = move |LambdaEvent { context, .. }: LambdaEvent<IgnoredAny>| {
        let running = timeout_at(deadline_now(&context), job());
        async move {
            running
                .await
                .unwrap_or_else(|_| Err(anyhow!("cut off at the invocation's deadline")))?;
            Ok::<_, Fault>(())
        }
    };
    run(invoke, shutdown).await
}
