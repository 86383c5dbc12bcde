//! `dead-letters show`: all of one message.

use std::ops::ControlFlow;

use anyhow::{Result, bail};

use super::Context;
use super::read::complete_or_noted;
use crate::dead_letter::{DeadLetter, MovedBy};
use crate::output::{self, HEADING, Progress, REASON, indented, printable};
use crate::queue::{Interrupt, Reference, find, peek};

pub(super) async fn run(context: &Context, queue: &Reference, id: &str, json: bool) -> Result<()> {
    let queue = find(&context.client, queue).await?;
    let progress = Progress::of(queue.depth.visible)?;
    let mut found = None;
    let mut interrupt = Interrupt::listen()?;
    let peeked = peek(&queue, &mut interrupt, |message| {
        progress.advance();
        let letter = DeadLetter::read(message, &queue);
        if !letter.is(id) {
            return Ok(ControlFlow::Continue(()));
        }
        found = Some(letter);
        Ok(ControlFlow::Break(()))
    });
    let peeked = peeked.await?;
    drop(progress);
    let Some(letter) = found else {
        complete_or_noted(&queue, peeked)?;
        bail!("none of the {} messages of {} that were read is {id}", peeked.read, queue.name);
    };
    if json { output::json(&letter) } else { print(&letter) }
}

fn print(letter: &DeadLetter) -> Result<()> {
    for (name, value) in members(letter) {
        if let Some(value) = value {
            let style = if name == "reason" { REASON } else { anstyle::Style::new() };
            let value = printable(&value);
            output::line(&format!("{HEADING}{name:20}{HEADING:#} {style}{value}{style:#}"))?;
        }
    }
    if !letter.attributes.is_empty() {
        output::line(&format!("{HEADING}attributes{HEADING:#}"))?;
    }
    for (name, attribute) in &letter.attributes {
        let (name, value) = (printable(name), printable(&attribute.value));
        output::line(&format!("  {name} ({}) {value}", printable(&attribute.data_type)))?;
    }
    output::line(&format!("{HEADING}body{HEADING:#}"))?;
    let body = indented(&letter.body);
    let lines = body.as_deref().unwrap_or(&letter.body).lines();
    lines.map(|line| format!("  {}", printable(line))).try_for_each(|line| output::line(&line))
}

fn members(letter: &DeadLetter) -> [(&'static str, Option<String>); 20] {
    let summary = &letter.summary;
    let moved_by = summary.moved_by.map(|by| match by {
        MovedBy::Handler => "its handler",
        MovedBy::Sqs => "SQS, after its last delivery",
    });
    let claim_check = letter.claim_check.as_ref();
    [
        ("message id", Some(summary.message_id.clone())),
        ("original message id", letter.original_message_id.clone()),
        ("reason", summary.reason.clone()),
        ("detail", summary.detail.clone()),
        ("moved by", moved_by.map(str::to_owned)),
        ("handler", letter.handler.clone()),
        ("source queue", summary.source_queue.clone()),
        ("attempts", summary.attempts.map(|attempts| attempts.to_string())),
        ("first received", letter.first_received_at.clone()),
        ("failed", letter.failed_at.clone()),
        ("sent", summary.sent_at.map(|time| time.to_rfc3339())),
        ("group", summary.group.clone()),
        ("deduplication id", letter.deduplication_id.clone()),
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
