//! `dead-letters queues`: the queues that have dead letters.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::Context;
use crate::output::{self, HEADING, age, printable};
use crate::queue::Interrupt;
use crate::report::{QueueRow, queues};

pub(super) async fn run(context: &Context, all: bool, json: bool) -> Result<()> {
    let mut interrupt = Interrupt::listen()?;
    let (listing, notes) = queues(&context.client, &mut interrupt, all).await?;
    output::notes(&notes);
    if json { output::json(&listing) } else { print(&listing.queues, context.now) }
}

fn print(queues: &[QueueRow], now: DateTime<Utc>) -> Result<()> {
    let heading = format!("{:48}  {:>8}  {:>7}  SOURCES", "QUEUE", "DEPTH", "OLDEST");
    output::line(&format!("{HEADING}{heading}{HEADING:#}"))?;
    for row in queues {
        let seconds = row.oldest_sent_at.map(|time| (now - time).num_seconds());
        let oldest = age(seconds.map(|age| u64::try_from(age).unwrap_or_default()));
        let or_older = if row.oldest_is_exact || row.oldest_sent_at.is_none() { "" } else { "≥" };
        output::line(&format!(
            "{:48}  {:>8}  {:>7}  {}",
            printable(&row.queue),
            row.depth,
            format!("{or_older}{oldest}"),
            row.sources.join(", "),
        ))?;
    }
    Ok(())
}
