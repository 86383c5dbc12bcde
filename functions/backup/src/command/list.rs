//! `backup list`: what there is.

use anyhow::Result;
use command_line::{json as print, line, note};
use domain::time::rfc3339;
use indicatif::HumanBytes;
use serde_json::json;

use crate::arguments::ListArguments;
use crate::backups::{Backups, Found};

pub(super) async fn run(arguments: &ListArguments) -> Result<()> {
    let found = Backups::connect(&arguments.place.location).await.list().await?;
    let (whole, not): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|backup| backup.manifest.is_some());
    if arguments.json {
        whole.iter().try_for_each(|backup| print(&as_json(backup)))?;
    } else {
        line(&row(["BACKUP", "TAKEN", "SIZE", "SECONDS", "SCHEMA", "TASKS", "VERIFIED"]))?;
        whole.iter().try_for_each(|backup| line(&text(backup)))?;
    }
    if !not.is_empty() {
        let count = not.len();
        note(&format!("{count} without a manifest: still written, or to be pruned"));
    }
    Ok(())
}

fn as_json(backup: &Found) -> serde_json::Value {
    json!({
        "id": backup.id.to_string(),
        "good": backup.is_good(),
        "manifest": backup.manifest,
        "verification": backup.verification,
    })
}

fn text(backup: &Found) -> String {
    let Some(manifest) = &backup.manifest else { return backup.id.to_string() };
    let contents = &manifest.contents;
    let tasks = contents.tables.get("tasks").map_or(0, |table| table.rows);
    let verified = match &backup.verification {
        None => "no".to_owned(),
        Some(outcome) if outcome.problems.is_empty() => rfc3339(outcome.verified_at),
        Some(outcome) => format!("FAILED {}", rfc3339(outcome.verified_at)),
    };
    row([
        &manifest.id,
        &rfc3339(contents.taken_at),
        &HumanBytes(manifest.dump.size).to_string(),
        &format!("{:.1}", manifest.seconds),
        &contents.schema_version.to_string(),
        &tasks.to_string(),
        &verified,
    ])
}

fn row(columns: [&str; 7]) -> String {
    let [id, taken, size, seconds, schema, tasks, verified] = columns;
    format!("{id:26} {taken:27} {size:>12} {seconds:>8} {schema:>6} {tasks:>10} {verified}")
}
