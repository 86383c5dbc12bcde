//! `dead-letters replay --dry-run`: what would be replayed.

use anyhow::{Result, bail};

use super::Context;
use super::groups::print;
use crate::arguments::ReplayArguments;
use crate::output::{self, HEADING, Progress, note, printable};
use crate::queue::{Interrupt, find};
use crate::report::{Change, Reading, dry_run};

pub(super) async fn run(context: &Context, arguments: &ReplayArguments) -> Result<()> {
    let Some(queue) = &arguments.queue else { bail!("a queue is needed") };
    let queue = find(&context.client, queue).await?;
    let progress = Progress::of(queue.depth.visible)?;
    let (now, interrupt) = (context.now, &mut Interrupt::listen()?);
    let reading = Reading { queue: &queue, now, progress: &progress, interrupt };
    let (report, notes) = dry_run(&context.aws, reading, arguments).await?;
    drop(progress);
    output::notes(&notes);
    if arguments.json {
        return output::json(&report);
    }
    print(&report.groups, now)?;
    report.changes.iter().try_for_each(print_change)?;
    for (target, count) in &report.targets {
        note(&format!("{count} would be sent to {target}"));
    }
    for (failure, count) in &report.failures {
        note(&format!("{count} would stay: {failure}"));
    }
    if let Some(count) = report.took_effect.filter(|count| *count > 0) {
        note(&format!("{count} of them took effect already: to replay them has no second effect"));
    }
    note("this is a dry run: nothing was changed");
    Ok(())
}

fn print_change(change: &Change) -> Result<()> {
    output::line(&format!("{HEADING}{}{HEADING:#}", printable(&change.message_id)))?;
    match (&change.diff, &change.failure) {
        (Some(diff), _) => output::line(diff),
        (None, Some(failure)) => {
            output::line(&format!("would not be sent: {}", printable(failure)))
        }
        (None, None) => output::line("would be sent as it is"),
    }
}
