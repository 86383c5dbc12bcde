//! A job in a Lambda: each event, such as a schedule's, is an order to run it.

use std::{pin::pin, time::Duration};

use anyhow::anyhow;
use lambda_runtime::LambdaEvent;
use serde::de::IgnoredAny;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::runtime::{Fault, deadline_now, run};

/// The longest time that background work gets to end by itself.
const STOP_MARGIN: Duration = Duration::from_secs(10);

/// Runs `job` at each invocation, until the deadline that it is given. One that fails, or that the
/// deadline cuts off, fails the invocation, which Lambda tries again by its own rules.
pub(crate) async fn serve<F>(
    job: impl Fn(Instant) -> F + Send + Sync + 'static,
    shutdown: CancellationToken,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let invoke = move |LambdaEvent { context, .. }: LambdaEvent<IgnoredAny>| {
        let deadline = deadline_now(&context);
        let running = timeout_at(deadline, job(deadline));
        async move {
            running
                .await
                .unwrap_or_else(|_| Err(anyhow!("cut off at the invocation's deadline")))?;
            Ok::<_, Fault>(())
        }
    };
    run(invoke, shutdown).await
}

/// Runs `work`, and cancels it when a quarter of the time to `deadline` is left, or ten
/// seconds if that is less.
pub(crate) async fn stop_before(
    deadline: Instant,
    work: impl Future<Output = anyhow::Result<()>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let left = deadline.saturating_duration_since(Instant::now());
    let stop_at = deadline - STOP_MARGIN.min(left / 4);
    let mut work = pin!(work);
    tokio::select! {
        ended = &mut work => return ended,
        () = sleep_until(stop_at) => stop.cancel(),
    }
    work.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_is_cancelled_in_time_to_end_by_itself() {
        let cancelled_after = async |seconds: u64| {
            let begun = Instant::now();
            let stop = CancellationToken::new();
            let work = async {
                stop.cancelled().await;
                anyhow::Ok(())
            };
            stop_before(begun + Duration::from_secs(seconds), work, stop.clone()).await.unwrap();
            begun.elapsed().as_secs()
        };
        assert_eq!(cancelled_after(60).await, 50);
        assert_eq!(cancelled_after(20).await, 15);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_is_done_is_not_waited_for() {
        let begun = Instant::now();
        let done = async { anyhow::Ok(()) };
        stop_before(begun + STOP_MARGIN, done, CancellationToken::new()).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}
