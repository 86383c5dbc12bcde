//! The tool as a Lambda: an event asks for a replay, and its run is the answer.
//!
//! It runs the code of the command line, with the same ledger. It stops while there is time to release what
//! is held; then the answer says `stopped`, and another event resumes the run.

mod event;

use std::fmt::{self, Debug, Formatter};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use aws_config::SdkConfig;
use causes::with_causes;
use command_line::now;
use event::Event;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::arguments::ReplayArguments;
use crate::output::Progress;
use crate::queue::{Interrupt, aws, find};
use crate::replay::{Replayed, replay};
use crate::report::{DryRun, Reading, dry_run};

/// Where the Runtime API listens: AWS Lambda sets it, and only AWS Lambda.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
/// The longest time that is left for the end of a run.
const MARGIN: Duration = Duration::from_secs(30);
/// No invocation takes longer, by Lambda.
const LONGEST: Duration = Duration::from_mins(15);

/// Why an invocation failed.
struct Fault(anyhow::Error);

/// What an event must be.
pub(crate) fn schema() -> Value {
    schemars::schema_for!(Event).to_value()
}

/// Whether this process is a Lambda's.
pub(crate) fn is_host() -> bool {
    std::env::var_os(RUNTIME_API).is_some()
}

/// Answers events until the process is ended.
pub(crate) async fn serve() -> Result<()> {
    let aws = aws().await?;
    let answer = |event: LambdaEvent<Value>| async {
        let LambdaEvent { payload, context } = event;
        Box::pin(invoke(&aws, payload, &context)).await.map_err(Fault)
    };
    let ended = lambda_runtime::run(service_fn(answer)).await;
    ended.map_err(|error| anyhow::anyhow!(error))
}

/// What an event is answered with.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Run(Replayed),
    DryRun {
        #[serde(flatten)]
        report: DryRun,
        /// What the command line would print beside it.
        notes: Vec<String>,
    },
}

async fn invoke(aws: &SdkConfig, payload: Value, context: &Context) -> Result<Answer> {
    let event: Event = serde_json::from_value(payload).context("the event")?;
    let (arguments, words) = event.command_line().context("the event")?;
    let client = aws_sdk_sqs::Client::new(aws);
    let mut interrupt = Interrupt::at(deadline(context));
    if arguments.dry_run {
        return rehearse(aws, &client, &arguments, &mut interrupt).await;
    }
    if !arguments.ledger.is_shared() {
        bail!("a Lambda has no files that last: set REPLAYS_TABLE, the table of the ledger");
    }
    replay(aws, &client, &arguments, &words, &mut interrupt).await.map(Answer::Run)
}

/// Says what a replay would do.
async fn rehearse(
    aws: &SdkConfig,
    client: &aws_sdk_sqs::Client,
    arguments: &ReplayArguments,
    interrupt: &mut Interrupt,
) -> Result<Answer> {
    let queue = arguments.queue.as_ref().context("a queue is needed")?;
    let queue = find(client, queue).await?;
    let reading = Reading { queue: &queue, now: now(), progress: &Progress::hidden(), interrupt };
    let (report, notes) = dry_run(aws, reading, arguments).await?;
    Ok(Answer::DryRun { report, notes })
}

/// When a run is to stop.
fn deadline(context: &Context) -> Instant {
    let now = u64::try_from(now().timestamp_millis()).unwrap_or_default();
    // A deadline that has passed is an emulator's, and may be no time of day.
    let left = context.deadline.checked_sub(now).map_or(LONGEST, Duration::from_millis);
    Instant::now() + left.saturating_sub(MARGIN.min(left / 4))
}

impl From<Fault> for Diagnostic {
    fn from(Fault(error): Fault) -> Self {
        Self { error_type: "Replay.Failed".to_owned(), error_message: with_causes(error.as_ref()) }
    }
}

/// The form in which `lambda_runtime` logs it.
impl Debug for Fault {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&with_causes(self.0.as_ref()))
    }
}
