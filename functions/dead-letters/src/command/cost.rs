//! `dead-letters cost`: which other commands were refused while one of ours was missing.
//!
//! The inbox knows which commands were refused and why, and not what they said. So only who sent them can
//! send them again.

use std::slice;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use domain::time::rfc3339;
use schemars::JsonSchema;
use serde::Serialize;
use store::{ProcessedCommand, ProcessedCommands, ProcessedResult, Store};
use uuid::Uuid;

use super::Context;
use super::show::find_message;
use crate::arguments::CostArguments;
use crate::dead_letter::DeadLetter;
use crate::output::{self, HEADING, REASON, printable};

/// Commands that are listed, at most.
const MOST: u32 = 1_000;

/// Its members are what `cost --json` prints.
#[derive(Serialize, JsonSchema)]
pub(super) struct Cost {
    message_id: String,
    tenant: String,
    task: Uuid,
    source: String,
    event_id: String,
    /// What became of it; none if it was not processed, or is not remembered any more.
    processed: Option<ProcessedCommand>,
    #[serde(serialize_with = "domain::time::serialize")]
    since: DateTime<Utc>,
    /// The commands of its task that were refused since, the oldest first.
    refused: Vec<ProcessedCommand>,
    /// Whether these are all.
    complete: bool,
}

pub(super) async fn run(context: &Context, arguments: &CostArguments) -> Result<()> {
    let dead_letter = find_message(context, &arguments.queue, &arguments.id).await?;
    let inbox = ProcessedCommands::new(Store::connect(&arguments.store).await?);
    let cost = cost(&inbox, &dead_letter).await?;
    if arguments.json {
        output::json(&cost)?;
    } else {
        print(&cost)?;
    }
    if !cost.complete {
        output::note(&format!("only the first {MOST} are shown"));
    }
    Ok(())
}

async fn cost(inbox: &ProcessedCommands, dead_letter: &DeadLetter) -> Result<Cost> {
    let summary = &dead_letter.summary;
    let missing = |what| format!("it is no command of task-app: its body has no {what}");
    let tenant = summary.tenant.clone().with_context(|| missing("`tenant`"))?;
    let source = summary.source.clone().with_context(|| missing("`source`"))?;
    let id = summary.event_id.clone().with_context(|| missing("`id`"))?;
    let task = summary.task.as_deref().and_then(|task| Uuid::try_parse(task).ok());
    let task = task.with_context(|| missing("`subject` that is a task's id"))?;
    let since = since(dead_letter).context("it is unknown when it was sent")?;
    let processed = match &summary.command {
        Some(command) => inbox.find(&tenant, slice::from_ref(command)).await?.pop().flatten(),
        None => None,
    };
    let refused = inbox.refused_since(&tenant, task, since, MOST).await?;
    let complete = refused.len() < MOST as usize;
    let message_id = summary.message_id.clone();
    let is_other = |one: &ProcessedCommand| processed.as_ref() != Some(one);
    let refused = refused.into_iter().filter(is_other).collect();
    Ok(Cost { message_id, tenant, task, source, event_id: id, processed, since, refused, complete })
}

/// When it was missing first, as far as it says.
fn since(dead_letter: &DeadLetter) -> Option<DateTime<Utc>> {
    let received = dead_letter.first_received_at.as_deref();
    let received = received.and_then(|time| DateTime::parse_from_rfc3339(time).ok());
    received.map(|time| time.to_utc()).into_iter().chain(dead_letter.summary.sent_at).min()
}

fn print(cost: &Cost) -> Result<()> {
    let result = match &cost.processed {
        None => "it did not take effect".to_owned(),
        Some(processed) => described(processed),
    };
    let since = rfc3339(cost.since);
    for (name, value) in [
        ("command", format!("{} {}", cost.source, cost.event_id)),
        ("tenant", cost.tenant.clone()),
        ("task", cost.task.to_string()),
        ("result", result),
        ("refused since", format!("{} commands, since {since}", cost.refused.len())),
    ] {
        output::line(&format!("{HEADING}{name:20}{HEADING:#} {}", printable(&value)))?;
    }
    for refused in &cost.refused {
        let (source, id) = (printable(&refused.source), printable(&refused.id));
        let result = printable(&described(refused));
        output::line(&format!("  {source} {id}  {REASON}{result}{REASON:#}"))?;
    }
    if !cost.refused.is_empty() {
        output::note(
            "replay this one first. Then have their senders publish again what is still wanted, with new \
             ids: under its old id a command is refused again",
        );
    }
    Ok(())
}

fn described(command: &ProcessedCommand) -> String {
    let at = command.processed_at.map(|at| format!(", at {}", rfc3339(at))).unwrap_or_default();
    match &command.result {
        Some(ProcessedResult::Applied(version)) => format!("it took effect: version {version}{at}"),
        Some(ProcessedResult::Refused(refusal)) => {
            format!("refused: {}: {refusal}{at}", refusal.code())
        }
        Some(ProcessedResult::Deleted) => format!("it deleted an attachment{at}"),
        None => format!("processed; what is recorded of it cannot be read{at}"),
    }
}
