//! The command line `publish`.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use clap::Parser as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::Arguments;
use crate::input::{self, Event};
use crate::report::{self, Summary};
use crate::{Producer, Report};

/// Time to the first byte of an answer: AWS may hang, but not the command line with it.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// Time of one attempt, a large event's upload with it.
const ATTEMPT_TIMEOUT: Duration = Duration::from_mins(1);

/// Its name.
pub const NAME: &str = env!("CARGO_PKG_NAME");
/// What it is for, in one line.
pub const ABOUT: &str = env!("CARGO_PKG_DESCRIPTION");

/// Runs it with a command line, whose first argument is the program's name.
#[must_use]
pub fn run(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = Arguments::parse_from(command_line);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let published = runtime
        .context("starting the async runtime")
        .and_then(|runtime| runtime.block_on(publish(&arguments)));
    match published {
        Ok(summary) => summary.conclude(arguments.json),
        Err(error) => report::fail(&error),
    }
}

/// Validates everything before anything is sent, so that a mistake in a file can be mended without
/// wondering what went out already; then sends what is valid.
async fn publish(arguments: &Arguments) -> anyhow::Result<Summary> {
    let events = input::read(&arguments.files)?;
    let producer = producer(arguments).await;
    if arguments.dry_run {
        let refused = producer.check(&events);
        return Ok(Summary::of_dry_run(&events, refused));
    }
    let report = send(&producer, &events).await?;
    Ok(Summary::of(&events, report))
}

async fn producer(arguments: &Arguments) -> Producer {
    let timeouts = TimeoutConfig::builder()
        .read_timeout(READ_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let defaults = aws_config::defaults(BehaviorVersion::latest());
    let sdk = defaults.timeout_config(timeouts).load().await;
    // A dry run may have none: it sends nothing.
    let queue_url = arguments.queue_url.clone().unwrap_or_default();
    let mut producer = Producer::new(aws_sdk_sqs::Client::new(&sdk), queue_url);
    if let Some(bucket) = &arguments.claim_check_bucket {
        let over = usize::try_from(arguments.claim_check_over).unwrap_or(usize::MAX);
        producer = producer.claim_checks(objects::client(&sdk), bucket).claim_checks_over(over);
    }
    match arguments.rate {
        Some(rate) => producer.per_second(rate),
        None => producer,
    }
}

async fn send(producer: &Producer, events: &[Event]) -> anyhow::Result<Report> {
    let progress = ProgressBar::new(events.len() as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} sent, {eta} left")?);
    let report = producer.send_watched(events, |sent| progress.inc(sent as u64)).await?;
    progress.finish_and_clear();
    Ok(report)
}
