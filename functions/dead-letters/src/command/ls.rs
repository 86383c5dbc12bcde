//! `dead-letters ls`: a line for each message.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::Context;
use crate::arguments::Selection;
use crate::dead_letter::Summary;
use crate::output::{self, HEADING, Progress, REASON, age, or_dash};
use crate::queue::{Interrupt, find};
use crate::report::{Reading, read};

pub(super) async fn run(context: &Context, selection: &Selection, json: bool) -> Result<()> {
    let queue = find(&context.client, &selection.queue).await?;
    let progress = Progress::beside_results(queue.depth.visible)?;
    let now = context.now;
    if !json {
        let names = ["AGE", "TYPE", "REASON", "ATTEMPTS", "GROUP", "TENANT", "ID"];
        output::line(&format!("{HEADING}{}{HEADING:#}", row(names.map(str::to_owned), false)))?;
    }
    let interrupt = &mut Interrupt::listen()?;
    let reading = Reading { queue: &queue, now, progress: &progress, interrupt };
    let extent = read(reading, &selection.which, |dead_letter| {
        if json {
            output::json(&dead_letter)
        } else {
            output::line(&row(columns(&dead_letter, now), true))
        }
    });
    let extent = extent.await?;
    drop(progress);
    output::notes(&extent.notes);
    Ok(())
}

fn columns(dead_letter: &Summary, now: DateTime<Utc>) -> [String; 7] {
    let attempts = dead_letter.attempts.map(|attempts| attempts.to_string());
    [
        age(dead_letter.age(now)),
        or_dash(dead_letter.r#type.as_deref()),
        or_dash(dead_letter.reason.as_deref()),
        or_dash(attempts.as_deref()),
        or_dash(dead_letter.group.as_deref()),
        or_dash(dead_letter.tenant.as_deref()),
        or_dash(Some(&dead_letter.message_id)),
    ]
}

fn row(columns: [String; 7], colour: bool) -> String {
    let [age, kind, reason, attempts, group, tenant, id] = columns;
    let style = if colour { REASON } else { anstyle::Style::new() };
    format!(
        "{age:>4}  {kind:32}  {style}{reason:24}{style:#}  {attempts:>8}  {group:36}  {tenant:12}  {id}"
    )
}
