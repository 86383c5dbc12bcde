//! What is written of facts, for people and for programs.

use anyhow::{Result, bail};
use domain::time::rfc3339;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use store::ParkedFact;

use crate::output::{self, HEADING, REASON, or_dash, printable};

/// What `facts show --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ShownFact<'a> {
    #[serde(flatten)]
    pub(super) fact: &'a ParkedFact,
    /// What it says, with `--data` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Value>,
}

/// What `facts retry --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Retried {
    /// How many facts are tried again.
    pub(super) retried: u64,
}

/// What `facts skip --json` prints.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Skipped {
    /// How many facts were given up.
    pub(super) skipped: u64,
}

/// A table, or an object for each fact and line.
pub(super) fn facts(facts: &[ParkedFact], json: bool) -> Result<()> {
    if json {
        return facts.iter().try_for_each(output::json);
    }
    let names = ["FACT", "TENANT", "TASK", "QUEUE", "REASON", "ATTEMPTS", "PARKED", "HELD BACK"];
    output::line(&format!("{HEADING}{}{HEADING:#}", row(names.map(str::to_owned), false)))?;
    facts.iter().try_for_each(|fact| {
        let parked = fact.parked_at.map_or_else(|| "no".to_owned(), rfc3339);
        let columns = [
            fact.fact.to_string(),
            printable(&fact.tenant),
            fact.task.to_string(),
            or_dash(fact.queue.as_deref()),
            printable(&fact.reason),
            fact.attempts.to_string(),
            parked,
            fact.held_back.to_string(),
        ];
        output::line(&row(columns, true))
    })
}

/// All that is known of a fact.
pub(super) fn fact(fact: &ShownFact<'_>, json: bool) -> Result<()> {
    if json {
        return output::json(fact);
    }
    serde_json::to_value(fact)?.as_object().into_iter().flatten().try_for_each(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        output::line(&format!("{HEADING}{name:16}{HEADING:#} {}", printable(&text)))
    })
}

/// How many facts were changed, which is a failure if there are none.
pub(super) fn changed(report: &impl Serialize, what: &str, count: u64, json: bool) -> Result<()> {
    if json {
        output::json(report)?;
    } else {
        output::line(&format!("{what} {count}"))?;
    }
    if count == 0 {
        bail!("no parked fact fits");
    }
    Ok(())
}

fn row(columns: [String; 8], colour: bool) -> String {
    let [fact, tenant, task, queue, reason, attempts, parked, held_back] = columns;
    let style = if colour { REASON } else { anstyle::Style::new() };
    format!(
        "{fact:36}  {tenant:20}  {task:36}  {queue:20}  {style}{reason:24}{style:#}  {attempts:>8}  \
         {parked:27}  {held_back:>9}"
    )
}
