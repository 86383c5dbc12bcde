//! What each command does.

use std::io::{BufRead as _, Write as _, stderr, stdin};
use std::process::ExitCode;

use store::{ParkedFacts, ParkedFilter};
use uuid::Uuid;

use crate::arguments::Command;
use crate::print;

const UNCONFIRMED: u8 = 2;
const NOTHING_FITS: u8 = 3;

pub(crate) async fn run(facts: &ParkedFacts, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Ls { filter, all, limit, json } => {
            let listed = facts.list(&filter.into(), *all, *limit).await?;
            print::facts(&listed, *json)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Show { fact, data, json } => show(facts, *fact, *data, *json).await,
        Command::Retry { selection } => changed("retried", facts.retry(&selection.into()).await?),
        Command::Skip { selection, by, why, yes } => {
            let filter = selection.into();
            if !yes && !confirmed(facts, &filter).await? {
                return Ok(ExitCode::from(UNCONFIRMED));
            }
            changed("skipped", facts.skip(&filter, by, why).await?)
        }
    }
}

async fn show(facts: &ParkedFacts, id: Uuid, data: bool, json: bool) -> anyhow::Result<ExitCode> {
    let filter = ParkedFilter { facts: Some(vec![id]), ..ParkedFilter::default() };
    let found = facts.list(&filter, true, 1).await?;
    let Some(fact) = found.first() else {
        return Ok(ExitCode::from(NOTHING_FITS));
    };
    let data = if data { facts.data(id).await? } else { None };
    print::fact(fact, data.as_deref(), json)?;
    Ok(ExitCode::SUCCESS)
}

async fn confirmed(facts: &ParkedFacts, filter: &ParkedFilter) -> anyhow::Result<bool> {
    const SHOWN: u32 = 1_000;
    let count = facts.list(filter, false, SHOWN).await?.len();
    let or_more = if count < SHOWN as usize { "" } else { " or more" };
    write!(stderr(), "skip {count}{or_more} facts for good? Type `yes`: ")?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

fn changed(what: &str, count: u64) -> anyhow::Result<ExitCode> {
    print::line(&format!("{what} {count}"))?;
    Ok(if count == 0 { ExitCode::from(NOTHING_FITS) } else { ExitCode::SUCCESS })
}
