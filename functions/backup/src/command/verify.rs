//! `backup verify`: whether a backup can be restored, and is what was dumped.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde_json::json;
use store::DatabaseUrl;
use store::backup::{Checked, Scratch, check, existing};

use super::interrupted;
use crate::arguments::VerifyArguments;
use crate::backups::Backups;
use crate::clock::now;
use crate::fetch::Fetch;
use crate::location::Id;
use crate::manifest::{Manifest, Verification};
use crate::output;
use crate::program::Program;
use crate::restore::restore;

/// What was restored and how long it took.
struct Restored {
    checked: Checked,
    restore_seconds: f64,
    server_version: i32,
}

pub(super) async fn run(arguments: VerifyArguments) -> Result<()> {
    let (begun, interrupted) = (Instant::now(), interrupted()?);
    let backups = Backups::connect(&arguments.place.location).await;
    let (id, manifest) = choose(&backups, arguments.backup).await?;
    let scratch = Scratch::create(&DatabaseUrl::of(arguments.scratch_database_url)).await?;
    let restored = tokio::select! {
        restored = restored(&backups, &id, &manifest, &scratch) => restored,
        why = interrupted => Err(why),
    };
    let name = scratch.name().to_owned();
    let removed = scratch.drop().await;
    if let Err(error) = &removed {
        output::note(&format!("the scratch database {name} is left: {error:#}"));
    }
    let restored = restored.with_context(|| format!("the backup {id} was not verified"))?;
    let outcome = Verification {
        verified_at: now(),
        seconds: begun.elapsed().as_secs_f64(),
        server_version: restored.server_version,
        problems: restored.checked.problems.clone(),
    };
    backups.write_verification(&id, &outcome).await?;
    print(&id, &restored, &outcome, arguments.json)?;
    if !outcome.problems.is_empty() {
        bail!("the backup {id} is not what was dumped");
    }
    Ok(())
}

async fn choose(backups: &Backups, id: Option<Id>) -> Result<(Id, Manifest)> {
    if let Some(id) = id {
        let manifest = backups.manifest(&id).await?;
        return Ok((id, manifest));
    }
    let newest = backups.list().await?.into_iter().rev();
    let mut whole = newest.filter_map(|found| Some((found.id, found.manifest?)));
    whole.next().with_context(|| format!("there is no backup in {}", backups.location))
}

async fn restored(
    backups: &Backups,
    id: &Id,
    manifest: &Manifest,
    scratch: &Scratch,
) -> Result<Restored> {
    let begun = Instant::now();
    let before = existing(&scratch.database, manifest.contents.taken_at).await?;
    let dumped_by = manifest.pg_dump_major().context("the manifest has no version of pg_dump")?;
    let program = Program::pg_restore(dumped_by, before.server_version / 10_000).await?;
    let mut fetch = Fetch::new(backups, id, &manifest.dump);
    let (contents, size) = (&manifest.contents, manifest.dump.size);
    restore(&program, &scratch.database, contents, &mut fetch, size).await?;
    let restore_seconds = begun.elapsed().as_secs_f64();
    let checked = check(&scratch.database, contents).await?;
    Ok(Restored { checked, restore_seconds, server_version: before.server_version })
}

fn print(id: &Id, restored: &Restored, outcome: &Verification, json: bool) -> Result<()> {
    let Restored { checked, restore_seconds, .. } = restored;
    let Checked { tables, rows, facts, migrated, .. } = checked;
    if json {
        return output::json(&json!({
            "id": id.to_string(),
            "good": outcome.problems.is_empty(),
            "restore_seconds": restore_seconds,
            "tables": tables,
            "rows": rows,
            "facts": facts,
            "migrated": migrated,
            "verification": outcome,
        }));
    }
    for problem in &outcome.problems {
        output::line(&format!("problem: {problem}"))?;
    }
    let end = if outcome.problems.is_empty() { "is good" } else { "is not good" };
    let migrate =
        if *migrated { "migrations were applied" } else { "`migrate` finds nothing to do" };
    let seconds = outcome.seconds;
    output::line(&format!(
        "{id} {end}: {rows} rows of {tables} tables compared, {facts} facts compared with their tasks, \
         {migrate}; restored in {restore_seconds:.1} s, {seconds:.1} s in all"
    ))
}
