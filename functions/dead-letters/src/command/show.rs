//! `dead-letters show`: all of one message.

use anyhow::{Result, bail};
use domain::time::rfc3339;

use super::Context;
use crate::dead_letter::{DeadLetter, MovedBy};
use crate::ledger::{LedgerOptions, Replayed};
use crate::output::{self, HEADING, Progress, REASON, indented, note, printable};
use crate::queue::{Interrupt, Reference, find};
use crate::report::{Reading, Searched, Shown, message};

pub(super) async fn run(
    context: &Context,
    queue: &Reference,
    id: &str,
    ledger: &LedgerOptions,
    (fetches, json): (bool, bool),
) -> Result<()> {
    let dead_letter = find_message(context, queue, id).await?;
    let shown = Shown::new(dead_letter, ledger, &context.aws, fetches).await?;
    if json { output::json(&shown) } else { print(&shown) }
}

/// Finds a message by its id, its original id or that of its event.
pub(super) async fn find_message(
    context: &Context,
    queue: &Reference,
    id: &str,
) -> Result<DeadLetter> {
    let queue = find(&context.client, queue).await?;
    let progress = Progress::of(queue.depth.visible)?;
    let interrupt = &mut Interrupt::listen()?;
    let reading = Reading { queue: &queue, now: context.now, progress: &progress, interrupt };
    let searched = message(reading, id).await?;
    drop(progress);
    match searched {
        Searched::Found(dead_letter) => Ok(*dead_letter),
        Searched::NotAmong(read, note) => {
            output::notes(note.as_slice());
            bail!("none of the {read} messages of {} that were read is {id}", queue.name)
        }
    }
}

fn print(shown: &Shown) -> Result<()> {
    let Shown { dead_letter, lineage, claimed_body, claimed_body_failure } = shown;
    for (name, value) in members(dead_letter) {
        if let Some(value) = value {
            let style = if name == "reason" { REASON } else { anstyle::Style::new() };
            let value = printable(&value);
            output::line(&format!("{HEADING}{name:20}{HEADING:#} {style}{value}{style:#}"))?;
        }
    }
    for Replayed { run, message_id, at, edited, why } in lineage {
        let (id, why) = (printable(message_id), printable(why));
        let (at, edited) = (rfc3339(*at), if *edited { ", edited" } else { "" });
        let what = format!("{at} by run {run}{edited}, as the dead letter {id}: {why}");
        output::line(&format!("{HEADING}{:20}{HEADING:#} {what}", "replayed"))?;
    }
    if !dead_letter.attributes.is_empty() {
        output::line(&format!("{HEADING}attributes{HEADING:#}"))?;
    }
    for (name, attribute) in &dead_letter.attributes {
        let (name, value) = (printable(name), printable(&attribute.value));
        output::line(&format!("  {name} ({}) {value}", printable(&attribute.data_type)))?;
    }
    print_body("body", &dead_letter.body)?;
    if let Some(cause) = claimed_body_failure {
        note(&format!("the body in S3 could not be fetched: {}", printable(cause)));
    }
    claimed_body.as_ref().map_or(Ok(()), |body| print_body("body in S3", body))
}

/// A body with a line for each of its members, if it is JSON.
fn print_body(heading: &str, body: &str) -> Result<()> {
    output::line(&format!("{HEADING}{heading}{HEADING:#}"))?;
    let indented = indented(body);
    let lines = indented.as_deref().unwrap_or(body).lines();
    lines.map(|line| format!("  {}", printable(line))).try_for_each(|line| output::line(&line))
}

fn members(dead_letter: &DeadLetter) -> [(&'static str, Option<String>); 20] {
    let summary = &dead_letter.summary;
    let moved_by = summary.moved_by.map(|by| match by {
        MovedBy::Handler => "its handler",
        MovedBy::Sqs => "SQS, after its last delivery",
    });
    let claim_check = dead_letter.claim_check.as_ref();
    [
        ("message id", Some(summary.message_id.clone())),
        ("original message id", dead_letter.original_message_id.clone()),
        ("reason", summary.reason.clone()),
        ("detail", summary.detail.clone()),
        ("moved by", moved_by.map(str::to_owned)),
        ("handler", dead_letter.handler.clone()),
        ("source queue", summary.source_queue.clone()),
        ("attempts", summary.attempts.map(|attempts| attempts.to_string())),
        ("first received", dead_letter.first_received_at.clone()),
        ("failed", dead_letter.failed_at.clone()),
        ("sent", summary.sent_at.map(rfc3339)),
        ("group", summary.group.clone()),
        ("deduplication id", dead_letter.deduplication_id.clone()),
        ("trace id", summary.trace_id.clone()),
        ("event type", summary.r#type.clone()),
        ("event source", summary.source.clone()),
        ("event id", summary.event_id.clone()),
        ("tenant", summary.tenant.clone()),
        ("task", summary.task.clone()),
        (
            "body in S3",
            claim_check.map(|at| format!("s3://{}/{}, {} bytes", at.bucket, at.key, at.size)),
        ),
    ]
}
