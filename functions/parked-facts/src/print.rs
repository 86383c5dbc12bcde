//! What is written for people and for programs.

use std::io::{self, Write as _};
use std::process::ExitCode;

use store::ParkedFact;

/// A table, or an object for each fact and line.
pub(crate) fn facts(facts: &[ParkedFact], json: bool) -> anyhow::Result<()> {
    if json {
        return facts.iter().try_for_each(|fact| line(&serde_json::to_string(fact)?));
    }
    line(&row(["FACT", "TENANT", "TASK", "QUEUE", "REASON", "ATTEMPTS", "PARKED", "HELD BACK"]))?;
    facts.iter().try_for_each(|fact| {
        let parked = fact.parked_at.map_or_else(|| "no".to_owned(), |at| at.to_rfc3339());
        line(&row([
            &fact.fact.to_string(),
            &fact.tenant.escape_debug().to_string(),
            &fact.task.to_string(),
            fact.queue.as_deref().unwrap_or("-"),
            &fact.reason,
            &fact.attempts.to_string(),
            &parked,
            &fact.held_back.to_string(),
        ]))
    })
}

/// All that is known of a fact.
pub(crate) fn fact(fact: &ParkedFact, data: Option<&str>, json: bool) -> anyhow::Result<()> {
    let mut object = serde_json::to_value(fact)?;
    if let (Some(members), Some(data)) = (object.as_object_mut(), data) {
        members.insert("data".to_owned(), serde_json::from_str(data)?);
    }
    if json {
        return line(&serde_json::to_string(&object)?);
    }
    for (name, value) in object.as_object().into_iter().flatten() {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), |text| text.escape_debug().to_string());
        line(&format!("{name:16} {text}"))?;
    }
    Ok(())
}

pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout().lock(), "{text}")?)
}

pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    // Nobody reads it if this fails.
    let _ = writeln!(io::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}

fn row(columns: [&str; 8]) -> String {
    let [fact, tenant, task, queue, reason, attempts, parked, held_back] = columns;
    format!(
        "{fact:36}  {tenant:20}  {task:36}  {queue:20}  {reason:24}  {attempts:>8}  {parked:32}  \
         {held_back:>9}"
    )
}
