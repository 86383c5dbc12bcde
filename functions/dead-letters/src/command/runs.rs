//! `dead-letters runs`: what was replayed.

use anyhow::{Result, bail};
use domain::time::rfc3339;
use records::replays::{Message, Run};

use super::Context;
use crate::ledger::{Ledger, LedgerOptions};
use crate::output::{self, HEADING, note, or_dash, printable};

pub(super) async fn run(
    context: &Context,
    run: Option<&str>,
    options: &LedgerOptions,
    json: bool,
) -> Result<()> {
    let ledger = Ledger::open(options, &context.aws)?;
    match run {
        None => list(&ledger, json).await,
        Some(run) => show(&ledger, run, json).await,
    }
}

async fn list(ledger: &Ledger, json: bool) -> Result<()> {
    let runs = ledger.runs().await?;
    if json {
        return runs.iter().try_for_each(output::json);
    }
    note(&format!("the ledger is {}", ledger.place()));
    let heading = row(["RUN", "STARTED", "STATE", "SENT", "DELETED", "FAILED", "QUEUE", "WHY"]);
    output::line(&format!("{HEADING}{heading}{HEADING:#}"))?;
    runs.iter().try_for_each(|run| {
        output::line(&row([
            &run.run,
            &rfc3339(run.started_at),
            &state(run)?,
            &run.counts.sent.to_string(),
            &run.counts.deleted.to_string(),
            &(run.counts.failed + run.counts.held_back).to_string(),
            &printable(run.queue.rsplit('/').next().unwrap_or_default()),
            &printable(&run.why),
        ]))
    })
}

async fn show(ledger: &Ledger, id: &str, json: bool) -> Result<()> {
    let Some(run) = ledger.run(id).await? else {
        bail!("there is no run {id} in {}", ledger.place())
    };
    if json {
        output::json(&run)?;
        return ledger.messages(id, |message| output::json(&message)).await;
    }
    let counts = run.counts;
    let members = [
        ("run", Some(run.run.clone())),
        ("state", Some(state(&run)?)),
        ("stopped because", run.stopped_because.clone()),
        ("queue", Some(run.queue.clone())),
        ("command line", Some(run.arguments.join(" "))),
        ("by", Some(run.by.clone())),
        ("why", Some(run.why.clone())),
        ("started", Some(rfc3339(run.started_at))),
        ("ended", run.ended_at.map(rfc3339)),
        ("sent", Some(counts.sent.to_string())),
        ("perhaps twice", Some(counts.perhaps_twice.to_string())),
        ("edited", Some(counts.edited.to_string())),
        ("deleted", Some(counts.deleted.to_string())),
        ("failed", Some(counts.failed.to_string())),
        ("held back", Some(counts.held_back.to_string())),
        ("came back", Some(counts.returned.to_string())),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            output::line(&format!("{HEADING}{name:20}{HEADING:#} {}", printable(&value)))?;
        }
    }
    output::line(&format!("{HEADING}messages{HEADING:#}"))?;
    ledger.messages(id, |message| output::line(&line(&message)?)).await
}

fn line(message: &Message) -> Result<String> {
    let what = message.failure.as_deref().or(message.sent_id.as_deref());
    let state = serde_json::to_value(message.state)?;
    let state = state.as_str().unwrap_or_default();
    let (id, event) = (printable(&message.message_id), or_dash(message.event_id.as_deref()));
    Ok(format!("  {state:8} {id:36}  {event:36}  {}", or_dash(what)))
}

fn state(run: &Run) -> Result<String> {
    Ok(serde_json::to_value(run.state)?.as_str().unwrap_or_default().to_owned())
}

fn row(columns: [&str; 8]) -> String {
    let [run, started, state, sent, deleted, failed, queue, why] = columns;
    format!(
        "{run:36}  {started:27}  {state:8}  {sent:>8}  {deleted:>8}  {failed:>8}  {queue:32}  {why}"
    )
}
