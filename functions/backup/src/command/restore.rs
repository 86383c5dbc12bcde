//! `backup restore`: a backup into the database that is used.

use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use chrono::{DateTime, Utc};
use command_line::{json as print_json, line, note};
use domain::time::rfc3339;
use serde_json::json;
use store::backup::{
    Checked, Emptied, Existing, after_restore, check, clear, empty_cache, existing,
};

use super::interrupted;
use crate::arguments::RestoreArguments;
use crate::backups::Backups;
use crate::fetch::Fetch;
use crate::manifest::Manifest;
use crate::program::Program;
use crate::restore::{read_all, restore};

/// What was done.
struct Done {
    lost: Existing,
    checked: Checked,
    emptied: Emptied,
    cache: bool,
    seconds: f64,
}

pub(super) async fn run(arguments: RestoreArguments) -> Result<()> {
    let interrupted = interrupted()?;
    let backups = Backups::connect(&arguments.place.location).await;
    let manifest = backups.manifest(&arguments.backup).await?;
    let done = tokio::select! {
        done = work(&arguments, &backups, &manifest) => done?,
        why = interrupted => return Err(why.context("the restore was not completed: run it again")),
    };
    let printed = print(&arguments, &manifest, &done);
    ensure!(
        done.checked.problems.is_empty(),
        "the restored database is not what was dumped: do not use it, and restore another backup"
    );
    printed
}

async fn work(
    arguments: &RestoreArguments,
    backups: &Backups,
    manifest: &Manifest,
) -> Result<Done> {
    let begun = Instant::now();
    let RestoreArguments { backup, database, .. } = arguments;
    let (contents, size) = (&manifest.contents, manifest.dump.size);
    let lost = existing(database, contents.taken_at).await?;
    let dumped_by = manifest.pg_dump_major().context(
        "the manifest has no version of pg_dump, so it was altered: choose another backup",
    )?;
    let program = Program::pg_restore(dumped_by, lost.server_version / 10_000).await?;
    guard(&lost, arguments.replace.as_deref(), contents.taken_at)?;
    if !lost.is_empty {
        read_all(Fetch::new(backups, backup, &manifest.dump), size).await?;
        clear(database).await?;
    }
    let mut fetch = Fetch::new(backups, backup, &manifest.dump);
    restore(&program, database, contents, &mut fetch, size).await?;
    let checked = check(database, contents).await?;
    let emptied = after_restore(database).await?;
    let cache = empty_cache(&arguments.cache).await;
    let cache = cache.context("the database is restored, but the cache was not emptied")?;
    Ok(Done { lost, checked, emptied, cache, seconds: begun.elapsed().as_secs_f64() })
}

/// Refuses to remove what somebody may miss.
fn guard(lost: &Existing, replace: Option<&str>, taken_at: DateTime<Utc>) -> Result<()> {
    let Existing { database, foreign, sessions, .. } = lost;
    if let Some(named) = replace {
        ensure!(named == database, "the URL leads to the database {database}, and not to {named}");
    }
    if *sessions > 0 {
        bail!("{sessions} others use the database {database}: stop the functions first");
    }
    if !foreign.is_empty() {
        bail!("{database} has tables that are not of task-app: {}", foreign.join(", "));
    }
    if lost.tasks == 0 && lost.commands == 0 {
        return Ok(());
    }
    let taken_at = rfc3339(taken_at);
    let Existing { tasks, tasks_since, commands_since, pending_facts, .. } = lost;
    let losses = format!(
        "{database} holds {tasks} tasks, {tasks_since} of them changed since the backup of {taken_at}; \
         {commands_since} commands were processed since, and {pending_facts} facts are still to be published"
    );
    if replace.is_none() {
        bail!(
            "{losses}. All of it would be lost: `--replace {database}` does it. A new database beside it loses nothing"
        );
    }
    note(&format!("{losses}. All of it is replaced"));
    Ok(())
}

fn print(arguments: &RestoreArguments, manifest: &Manifest, done: &Done) -> Result<()> {
    let Done { lost, checked, emptied, cache, seconds } = done;
    let (id, taken_at) = (&manifest.id, rfc3339(manifest.contents.taken_at));
    let inbox = &emptied.inbox;
    if arguments.json {
        return print_json(&json!({
            "id": id,
            "database": lost.database,
            "taken_at": taken_at,
            "seconds": seconds,
            "rows": checked.rows,
            "problems": checked.problems,
            "migrated": checked.migrated,
            "leases_voided": emptied.leases,
            "cache_emptied": cache,
            "inbox": inbox,
        }));
    }
    for problem in &checked.problems {
        line(&format!("problem: {problem}"))?;
    }
    let (database, rows, leases) = (&lost.database, checked.rows, emptied.leases);
    let cache = if *cache { "the cache is empty" } else { "there is no cache to empty" };
    line(&format!("{database} is as it was at {taken_at}: {rows} rows, {seconds:.1} s"))?;
    line(&format!("{leases} leases of relays are void; {cache}"))?;
    line("facts have random identifiers, so none repeats; pending ones are published again")?;
    let (Some(oldest), Some(newest)) = (inbox.oldest, inbox.newest) else {
        return line(&format!(
            "the inbox knows no command: what was sent since {taken_at} is to be sent again, and nothing else"
        ));
    };
    let (oldest, newest) = (rfc3339(oldest), rfc3339(newest));
    line(&format!(
        "the inbox knows the commands that were processed from {oldest} to {newest}: to send those again \
         has no second effect. What was sent since {taken_at} is to be sent again, and nothing that was \
         processed before {oldest}"
    ))
}
