//! `dead-letters groups`: what failed for one cause, counted.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::Context;
use crate::arguments::Selection;
use crate::dead_letter::MovedBy;
use crate::output::{self, HEADING, Progress, REASON, age, or_dash, printable};
use crate::queue::{Interrupt, find};
use crate::report::{Group, Reading, groups};

pub(super) async fn run(context: &Context, selection: &Selection, json: bool) -> Result<()> {
    let queue = find(&context.client, &selection.queue).await?;
    let progress = Progress::of(queue.depth.visible)?;
    let interrupt = &mut Interrupt::listen()?;
    let now = context.now;
    let reading = Reading { queue: &queue, now, progress: &progress, interrupt };
    let (groups, notes) = groups(reading, &selection.which, |_| ()).await?;
    drop(progress);
    output::notes(&notes);
    if json { output::json(&groups) } else { print(&groups.groups, now) }
}

pub(super) fn print(groups: &[Group], now: DateTime<Utc>) -> Result<()> {
    let heading = format!(
        "{:>7}  {:24}  {:32}  {:>5}  {:>5}  SAMPLE",
        "COUNT", "REASON", "TYPE", "FIRST", "LAST"
    );
    output::line(&format!("{HEADING}{heading}{HEADING:#}"))?;
    let since = |time: Option<DateTime<Utc>>| {
        age(time.map(|time| (now - time).num_seconds()).and_then(|age| u64::try_from(age).ok()))
    };
    for Group { count, cause, first_sent_at, last_sent_at, sample } in groups {
        output::line(&format!(
            "{count:>7}  {REASON}{:24}{REASON:#}  {:32}  {:>5}  {:>5}  {}",
            or_dash(cause.reason.as_deref()),
            or_dash(cause.r#type.as_deref()),
            since(*first_sent_at),
            since(*last_sent_at),
            printable(&sample.message_id),
        ))?;
        match (&cause.fingerprint, cause.moved_by) {
            (Some(fingerprint), _) => {
                output::line(&format!("         {}", printable(fingerprint)))?;
            }
            (None, Some(MovedBy::Sqs)) => {
                output::line("         moved by SQS after its last delivery")?;
            }
            _ => (),
        }
    }
    Ok(())
}
