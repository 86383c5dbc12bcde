//! The loop over invocations, around `lambda_runtime`'s.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use anyhow::anyhow;
use futures::{FutureExt as _, future::BoxFuture};
use lambda_runtime::{
    Diagnostic, LambdaEvent, LambdaInvocation, Runtime, Service, service_fn, tower::layer::layer_fn,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, error_span, field::Empty};

use super::extension;
use crate::{Clock, SystemClock, metrics, otlp, trace};

/// What is left of an invocation's time for its response.
const MARGIN: Duration = Duration::from_secs(2);

/// No invocation takes longer, by Lambda.
const LONGEST: Duration = Duration::from_mins(15);

/// Why an invocation failed as a whole: Lambda shows it to the caller, and counts an error.
pub(crate) struct Fault(anyhow::Error);

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

impl From<Fault> for Diagnostic {
    fn from(Fault(error): Fault) -> Self {
        Self { error_type: "Function.Failed".to_owned(), error_message: format!("{error:#}") }
    }
}

/// The form in which `lambda_runtime` logs it.
impl fmt::Debug for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#}", self.0)
    }
}

/// When work on an invocation must stop: its deadline less a margin, which is no more than a quarter
/// of the time that is left. A deadline that has passed is none that Lambda set (an emulator's may be
/// no time of day).
pub(crate) fn deadline(context: &lambda_runtime::Context, clock: &dyn Clock) -> Instant {
    let left = left(context, clock);
    Instant::now() + left.saturating_sub(MARGIN.min(left / 4))
}

/// What is left of an invocation's time.
fn left(context: &lambda_runtime::Context, clock: &dyn Clock) -> Duration {
    let now = u64::try_from(clock.now().timestamp_millis()).unwrap_or_default();
    context.deadline.checked_sub(now).map_or(LONGEST, Duration::from_millis)
}

/// The deadline by the machine's clock.
pub(crate) fn deadline_now(context: &lambda_runtime::Context) -> Instant {
    deadline(context, &SystemClock)
}

/// Runs `handle` at each invocation until `shutdown`, and then lets a running one finish.
pub(crate) async fn run<E, R, F>(
    handle: impl Fn(LambdaEvent<E>) -> F + Send + 'static,
    shutdown: CancellationToken,
) -> anyhow::Result<()>
where
    E: DeserializeOwned + Send + 'static,
    R: Serialize + Send + 'static,
    F: Future<Output = Result<R, Fault>> + Send + 'static,
{
    extension::register().await;
    let idle = Arc::new(Semaphore::new(1));
    let stopped = async {
        shutdown.cancelled().await;
        idle.acquire().await.is_ok()
    };
    tokio::select! {
        ended = invocations(handle, Arc::clone(&idle)) => {
            ended.map_err(|error| anyhow!("the Lambda Runtime API is out of reach: {error}"))
        }
        _ = stopped => Ok(()),
    }
}

/// The endless loop. Boxed here, for within an async function the compiler cannot see that it may
/// go from thread to thread.
fn invocations<E, R, F>(
    handle: impl Fn(LambdaEvent<E>) -> F + Send + 'static,
    idle: Arc<Semaphore>,
) -> BoxFuture<'static, Result<(), lambda_runtime::Error>>
where
    E: DeserializeOwned + Send + 'static,
    R: Serialize + Send + 'static,
    F: Future<Output = Result<R, Fault>> + Send + 'static,
{
    let cycles = layer_fn(move |inner| InvocationCycle { inner, idle: Arc::clone(&idle) });
    Runtime::new(service_fn(handle)).layer(cycles).run().boxed()
}

/// Each invocation's surroundings, up to the answer's arrival: a span, a permit so that a drain waits for it; and what
/// must leave before Lambda freezes the process: metrics, and spans, of which this one has ended.
struct InvocationCycle<S> {
    inner: S,
    idle: Arc<Semaphore>,
}

impl<S> Service<LambdaInvocation> for InvocationCycle<S>
where
    S: Service<LambdaInvocation, Response = (), Error = lambda_runtime::Error>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = lambda_runtime::Error;
    type Future = BoxFuture<'static, Result<(), Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let span = error_span!(
            parent: None, "invocation", request_id = invocation.context.request_id,
            trace_id = Empty, span_id = Empty,
        );
        let caller = invocation.context.xray_trace_id.as_deref();
        let invoker = trace::begin_invocation(&span, caller);
        let idle = Arc::clone(&self.idle);
        let end = Instant::now() + left(&invocation.context, &SystemClock);
        let answer = span.in_scope(|| self.inner.call(invocation)).instrument(span);
        let cycle = async move {
            let _busy = idle.acquire_owned().await;
            let answered = trace::invoked_by(invoker, answer).await;
            metrics::flush();
            // Half of it: the next invocation must be fetched in time, too.
            otlp::flush(end.saturating_duration_since(Instant::now()) / 2).await;
            answered
        };
        cycle.boxed()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    struct At(i64);

    impl Clock for At {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp_millis(self.0).unwrap()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_ends_a_margin_before_the_invocation() {
        let seconds_left = |deadline: u64, now: i64| {
            let mut context = lambda_runtime::Context::default();
            context.deadline = deadline;
            (super::deadline(&context, &At(now)) - Instant::now()).as_secs()
        };
        assert_eq!(seconds_left(1_700_000_030_000, 1_700_000_000_000), 28);
        assert_eq!(seconds_left(1_700_000_004_000, 1_700_000_000_000), 3);
        assert_eq!(seconds_left(600_000, 1_700_000_000_000), 15 * 60 - 2, "no time of day");
    }
}
