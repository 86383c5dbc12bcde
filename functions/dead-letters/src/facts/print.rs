//! What is written of facts, for people and for programs.

use anyhow::Result;
use store::ParkedFact;

use crate::output::{self, HEADING, REASON, or_dash, printable};

/// A table, or an object for each fact and line.
pub(super) fn facts(facts: &[ParkedFact], json: bool) -> Result<()> {
    if json {
        return facts.iter().try_for_each(output::json);
    }
    let names = ["FACT", "TENANT", "TASK", "QUEUE", "REASON", "ATTEMPTS", "PARKED", "HELD BACK"];
    output::line(&format!("{HEADING}{}{HEADING:#}", row(names.map(str::to_owned), false)))?;
    facts.iter().try_for_each(|fact| {
        let parked = fact.parked_at.map_or_else(|| "no".to_owned(), |at| at.to_rfc3339());
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
pub(super) fn fact(fact: &ParkedFact, data: Option<&str>, json: bool) -> Result<()> {
    let mut object = serde_json::to_value(fact)?;
    if let (Some(members), Some(data)) = (object.as_object_mut(), data) {
        members.insert("data".to_owned(), serde_json::from_str(data)?);
    }
    if json {
        return output::json(&object);
    }
    object.as_object().into_iter().flatten().try_for_each(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        output::line(&format!("{HEADING}{name:16}{HEADING:#} {}", printable(&text)))
    })
}

fn row(columns: [String; 8], colour: bool) -> String {
    let [fact, tenant, task, queue, reason, attempts, parked, held_back] = columns;
    let style = if colour { REASON } else { anstyle::Style::new() };
    format!(
        "{fact:36}  {tenant:20}  {task:36}  {queue:20}  {style}{reason:24}{style:#}  {attempts:>8}  \
         {parked:32}  {held_back:>9}"
    )
}
