//! `dead-letters ls`: a line for each message.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::Context;
use super::read::read;
use crate::arguments::Selection;
use crate::dead_letter::Summary;
use crate::output::{self, HEADING, Progress, REASON, age, or_dash};
use crate::queue::find;

pub(super) async fn run(context: &Context, selection: &Selection, json: bool) -> Result<()> {
    let queue = find(&context.client, &selection.queue).await?;
    let progress = Progress::beside_results(queue.depth.visible)?;
    let now = context.now;
    if !json {
        let names = ["AGE", "TYPE", "REASON", "ATTEMPTS", "GROUP", "TENANT", "ID"];
        output::line(&format!("{HEADING}{}{HEADING:#}", row(names.map(str::to_owned), false)))?;
    }
    read(context, &queue, selection, &progress, |letter| {
        if json { output::json(&letter) } else { output::line(&row(columns(&letter, now), true)) }
    })
    .await?;
    Ok(())
}

fn columns(letter: &Summary, now: DateTime<Utc>) -> [String; 7] {
    let attempts = letter.attempts.map(|attempts| attempts.to_string());
    [
        age(letter.age(now)),
        or_dash(letter.r#type.as_deref()),
        or_dash(letter.reason.as_deref()),
        or_dash(attempts.as_deref()),
        or_dash(letter.group.as_deref()),
        or_dash(letter.tenant.as_deref()),
        or_dash(Some(&letter.message_id)),
    ]
}

fn row(columns: [String; 7], colour: bool) -> String {
    let [age, kind, reason, attempts, group, tenant, id] = columns;
    let style = if colour { REASON } else { anstyle::Style::new() };
    format!(
        "{age:>4}  {kind:32}  {style}{reason:24}{style:#}  {attempts:>8}  {group:36}  {tenant:12}  {id}"
    )
}
