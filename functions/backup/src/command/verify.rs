//! `backup verify`: whether a backup can be restored, and is what was dumped.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use causes::with_causes;
use command_line::{json as print_json, line, note, now};
use serde_json::json;
use store::DatabaseUrl;
use store::backup::{Checked, Scratch, check, existing};

use super::interrupted;
use crate::arguments::{HistoryArguments, VerifyArguments};
use crate::backups::Backups;
use crate::fetch::Fetch;
use crate::history::{self, Compared};
use crate::location::Id;
use crate::manifest::{Manifest, Verification};
use crate::program::Program;
use crate::restore::restore;

/// What was restored and how long it took.
struct Restored {
    checked: Checked,
    /// `None`: it was not asked for.
    history: Option<Compared>,
    restore_seconds: f64,
    server_version: i32,
}

pub(super) async fn run(arguments: VerifyArguments) -> Result<()> {
    let (begun, interrupted) = (Instant::now(), interrupted()?);
    let backups = Backups::connect(&arguments.place.location).await;
    let (id, manifest) = choose(&backups, arguments.backup).await?;
    let scratch = Scratch::create(&DatabaseUrl::of(arguments.scratch_database_url)).await?;
    let restored = tokio::select! {
        restored = restored(&backups, &id, &manifest, &scratch, &arguments.history) => restored,
        why = interrupted => Err(why),
    };
    let name = scratch.name().to_owned();
    let removed = scratch.drop().await;
    if let Err(error) = &removed {
        let why = with_causes(error.as_ref());
        note(&format!("the scratch database {name} is left, drop it: {why}"));
    }
    let restored = restored.with_context(|| format!("the backup {id} was not verified"))?;
    let outcome = Verification {
        verified_at: now(),
        seconds: begun.elapsed().as_secs_f64(),
        server_version: restored.server_version,
        histories: restored.history.as_ref().map_or(0, |history| history.tasks),
        problems: restored.problems(),
    };
    backups.write_verification(&id, &outcome).await?;
    let printed = print(&id, &restored, &outcome, arguments.json);
    if !outcome.problems.is_empty() {
        bail!(
            "the backup {id} is not what was dumped, or the history is not: do not restore it, and look at the \
             problems. `backup dump` takes a new one"
        );
    }
    printed
}

async fn choose(backups: &Backups, id: Option<Id>) -> Result<(Id, Manifest)> {
    if let Some(id) = id {
        let manifest = backups.manifest(&id).await?;
        return Ok((id, manifest));
    }
    let newest = backups.list().await?.into_iter().rev();
    let mut whole = newest.filter_map(|found| Some((found.id, found.manifest?)));
    whole.next().with_context(|| {
        format!("there is no backup in {}: take one with `backup dump`", backups.location)
    })
}

async fn restored(
    backups: &Backups,
    id: &Id,
    manifest: &Manifest,
    scratch: &Scratch,
    history: &HistoryArguments,
) -> Result<Restored> {
    let begun = Instant::now();
    let before = existing(&scratch.database, manifest.contents.taken_at).await?;
    let dumped_by = manifest.pg_dump_major().context(
        "the manifest has no version of pg_dump, so it was altered: choose another backup",
    )?;
    let program = Program::pg_restore(dumped_by, before.server_version / 10_000).await?;
    let mut fetch = Fetch::new(backups, id, &manifest.dump);
    let (contents, size) = (&manifest.contents, manifest.dump.size);
    restore(&program, &scratch.database, contents, &mut fetch, size).await?;
    let restore_seconds = begun.elapsed().as_secs_f64();
    let checked = check(&scratch.database, contents).await?;
    let history = history::compare(&scratch.database, history).await?;
    Ok(Restored { checked, history, restore_seconds, server_version: before.server_version })
}

impl Restored {
    /// What differs, of the database and of the history.
    fn problems(&self) -> Vec<String> {
        let history = self.history.iter().flat_map(|history| &history.problems);
        self.checked.problems.iter().chain(history).cloned().collect()
    }
}

fn print(id: &Id, restored: &Restored, outcome: &Verification, as_json: bool) -> Result<()> {
    let Restored { checked, history, restore_seconds, .. } = restored;
    let Checked { tables, rows, facts, migrated, .. } = checked;
    if as_json {
        return print_json(&json!({
            "id": id.to_string(),
            "good": outcome.problems.is_empty(),
            "restore_seconds": restore_seconds,
            "tables": tables,
            "rows": rows,
            "facts": facts,
            "migrated": migrated,
            "history": history.as_ref().map(Compared::as_json),
            "verification": outcome,
        }));
    }
    for problem in &outcome.problems {
        line(&format!("problem: {problem}"))?;
    }
    let end = if outcome.problems.is_empty() { "is good" } else { "is not good" };
    let migrate =
        if *migrated { "migrations were applied" } else { "`migrate` finds nothing to do" };
    let seconds = outcome.seconds;
    line(&format!(
        "{id} {end}: {rows} rows of {tables} tables compared, {facts} facts compared with their tasks, \
         {migrate}; restored in {restore_seconds:.1} s, {seconds:.1} s in all"
    ))?;
    line(&match history {
        Some(Compared { tasks, entries, .. }) => {
            format!("{entries} entries of the history of {tasks} tasks compared")
        }
        None => {
            "the history in DynamoDB was not compared: `--history-sample TASKS` does it".to_owned()
        }
    })
}
