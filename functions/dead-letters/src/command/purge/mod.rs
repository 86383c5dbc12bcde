//! `dead-letters purge`: messages are deleted, after they were exported.

mod archive;
mod confirm;
mod rounds;

use anyhow::{Result, anyhow, bail};
use causes::with_causes;
use schemars::JsonSchema;
use serde::Serialize;

use super::Context;
use crate::arguments::{Destination, PurgeArguments};
use crate::file::{Header, s3};
use crate::ledger::{Lease, Ledger, ended_run, new_run};
use crate::output::{self, Progress, printable};
use crate::queue::{End, Intake, Interrupt, LIMITS, Queue, find};
use crate::report::why;
use archive::Archive;
use confirm::confirm;
use rounds::{Counts, Rounds};

/// What `purge --json` prints.
#[derive(Serialize, JsonSchema)]
pub(super) struct Report<'a> {
    queue: &'a str,
    /// Where the messages are.
    exports: Vec<String>,
    #[serde(flatten)]
    counts: Counts,
    in_queue: u64,
    complete: bool,
}

pub(super) async fn run(
    context: &Context,
    arguments: &PurgeArguments,
    words: Vec<String>,
) -> Result<()> {
    let queue = find(&context.client, &arguments.queue).await?;
    let Destination { export, overwrite, .. } = &arguments.destination;
    let filter = arguments.filters.filter();
    let mut texts = filter.texts();
    texts.extend(arguments.limit.map(|limit| format!("limit={limit}")));
    if !arguments.yes {
        confirm(&queue, &texts, export.as_ref())?;
    }
    // Only now: until then Ctrl-C ends the process at once.
    let mut interrupt = Interrupt::listen()?;
    let header = Header::new(&queue.arn, context.now, texts);
    let ledger = Ledger::open(&arguments.ledger, &context.aws)?;
    let lease = Lease::new();
    let mut archive = Archive::begin(export.clone(), s3(&context.aws), *overwrite, header).await?;
    let mut record = new_run(&context.aws, &queue, words, &arguments.why).await;
    ledger.begin(&record, &lease).await?;
    let progress = Progress::moving(queue.depth.visible, "deleted")?;
    let intake = Intake::new(&queue, LIMITS);
    let limit = arguments.limit.unwrap_or(u64::MAX);
    let mut rounds = Rounds::new(&queue, &filter, context.now, limit, intake, &mut archive);
    let ended = rounds.run(&mut interrupt, &progress).await;
    let (counts, intake) = rounds.end();
    // Before anything else, whatever happened.
    let released = intake.release(&progress).await;
    drop(progress);
    let in_queue = queue.depth.total();
    let is_exhausted = matches!(ended, Ok(End::Exhausted));
    let complete = is_exhausted && counts.read >= in_queue && counts.undeleted == 0;
    let exports =
        if ended.is_ok() { archive.finish(complete).await } else { archive.abandon().await };
    let (end, exports) = match (ended, exports) {
        (ended, Ok(exports)) => (ended, exports),
        (Ok(_), Err(error)) => return Err(error),
        (Err(error), Err(unfinished)) => {
            return Err(error.context(with_causes(unfinished.as_ref())));
        }
    };
    record.counts.deleted = counts.deleted;
    let stopped_because = end.as_ref().err().map(|error| with_causes(error.as_ref()));
    let renewed = ledger.renew(&ended_run(record, stopped_because), &lease).await;
    let report = Report { queue: &queue.name, exports, counts, in_queue, complete };
    if arguments.json {
        output::json(&report)?;
    } else {
        print(&report)?;
    }
    let end = end?;
    released?;
    renewed?;
    shortfall(&queue, counts, end)
}

fn shortfall(queue: &Queue, counts: Counts, end: End) -> Result<()> {
    let Counts { read, undeleted, .. } = counts;
    let total = queue.depth.total();
    if end == End::Interrupted {
        bail!("interrupted: what was not deleted is visible again");
    }
    if undeleted > 0 {
        bail!("SQS did not delete {undeleted} messages, so they are exported and in the queue");
    }
    if end != End::Enough && read < total {
        let why = why(queue, end);
        return Err(anyhow!(
            "{read} of about {total} messages of {} could be read{why}",
            queue.name
        ));
    }
    Ok(())
}

fn print(report: &Report<'_>) -> Result<()> {
    let Report { queue, exports, counts, .. } = report;
    let exports: Vec<_> = exports.iter().map(|export| printable(export)).collect();
    let place = match exports.as_slice() {
        [] => String::new(),
        [one] => format!("; they are in {one}"),
        [first, .., last] => format!("; they are in {} objects, {first} to {last}", exports.len()),
    };
    output::line(&format!("{} messages of {queue} were deleted{place}", counts.deleted))
}
