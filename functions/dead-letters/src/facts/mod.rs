//! `dead-letters facts`: facts that a queue refused, parked by the outbox relay.
//!
//! They are in PostgreSQL and in no queue: only these commands need `DATABASE_URL`, and they need nothing
//! of AWS.

mod arguments;
mod print;

pub(crate) use arguments::FactsArguments;
pub(crate) use print::{Retried, ShownFact, Skipped};

use std::io::{BufRead as _, IsTerminal as _, Write as _, stderr, stdin};

use anyhow::{Result, bail};
use store::{ParkedFacts, ParkedFilter, Store};
use uuid::Uuid;

use crate::mistake::Mistake;
use arguments::FactsCommand;

pub(crate) async fn run(arguments: &FactsArguments) -> Result<()> {
    let facts = ParkedFacts::new(Store::connect(&arguments.store).await?);
    match &arguments.command {
        FactsCommand::Ls { filter, all, limit, json } => {
            print::facts(&facts.list(&filter.into(), *all, *limit).await?, *json)
        }
        FactsCommand::Show { fact, data, json } => show(&facts, *fact, *data, *json).await,
        FactsCommand::Retry { selection, json } => {
            let retried = facts.retry(&selection.into()).await?;
            print::changed(&Retried { retried }, "retried", retried, *json)
        }
        FactsCommand::Skip { selection, by, why, yes, json } => {
            let filter = selection.into();
            if !yes {
                confirm(&facts, &filter).await?;
            }
            let skipped = facts.skip(&filter, by, why).await?;
            print::changed(&Skipped { skipped }, "skipped", skipped, *json)
        }
    }
}

async fn show(facts: &ParkedFacts, id: Uuid, data: bool, json: bool) -> Result<()> {
    let filter = ParkedFilter { facts: Some(vec![id]), ..ParkedFilter::default() };
    let found = facts.list(&filter, true, 1).await?;
    let Some(fact) = found.first() else { bail!("no queue refuses a fact {id}") };
    let data = if data { facts.data(id).await? } else { None };
    let data = data.as_deref().map(serde_json::from_str).transpose()?;
    print::fact(&ShownFact { fact, data }, json)
}

async fn confirm(facts: &ParkedFacts, filter: &ParkedFilter) -> Result<()> {
    const SHOWN: u32 = 1_000;
    if !stdin().is_terminal() {
        return Err(Mistake::new("no terminal can confirm it: `--yes` skips without it").into());
    }
    let count = facts.list(filter, false, SHOWN).await?.len();
    let or_more = if count < SHOWN as usize { "" } else { " or more" };
    write!(stderr(), "skip {count}{or_more} facts for good? Type `yes`: ")?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    if answer.trim() != "yes" {
        bail!("not confirmed: nothing was skipped");
    }
    Ok(())
}
