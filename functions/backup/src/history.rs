//! Whether the history in DynamoDB is what the restored tasks and their facts say.
//!
//! The history has each version of a task, and the last one is the task. Versions whose facts were still to be
//! published may be missing, and later ones than the dump's are none of its business. Of older versions only
//! the history knows what they were: that they are there, and of their task, is compared.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::{Task, Version};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use records::{Entry, History};
use runtime::aws;
use serde_json::{Value, json};
use store::DatabaseUrl;
use store::backup::{Sampled, sample};
use tokio::time::{Instant, sleep};

use crate::arguments::HistoryArguments;

/// The newest versions of a task that are compared.
const VERSIONS: u16 = 100;
/// Tasks whose history is read at the same time.
const CONCURRENCY: usize = 8;
/// Between two looks for entries that are missing.
const PAUSE: Duration = Duration::from_secs(2);
/// Differences that are named.
const NAMED: usize = 10;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// Tasks that were compared.
    pub(crate) tasks: usize,
    /// Entries that were compared.
    pub(crate) entries: usize,
    /// What differs.
    pub(crate) problems: Vec<String>,
}

/// What was found of one task.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    entries: usize,
    /// Versions without an entry, though their facts were published.
    missing: Vec<Version>,
    wrong: Vec<String>,
}

impl Compared {
    pub(crate) fn as_json(&self) -> Value {
        json!({"tasks": self.tasks, "entries": self.entries})
    }
}

/// Compares a sample of the tasks of a database; `None` if none is asked for.
///
/// # Errors
/// When the database or DynamoDB does not answer.
pub(crate) async fn compare(
    database: &DatabaseUrl,
    arguments: &HistoryArguments,
) -> Result<Option<Compared>> {
    if arguments.history_sample == 0 {
        return Ok(None);
    }
    let sampled = sample(database, arguments.history_sample, VERSIONS).await?;
    let history = History::new(&aws::client_config().await, arguments.table.clone());
    let end = Instant::now() + Duration::from_secs(arguments.history_wait.into());
    let mut compared = Compared { tasks: sampled.len(), ..Compared::default() };
    let found = stream::iter(&sampled).map(|sampled| patiently(&history, sampled, end));
    let found = found.buffer_unordered(CONCURRENCY).try_collect::<Vec<_>>().await;
    let table = &arguments.table.history_table;
    let found = found.with_context(|| format!("reading the history in the table {table}"))?;
    for (entries, problem) in found {
        compared.entries += entries;
        compared.problems.extend(problem);
    }
    compared.problems.truncate(NAMED);
    Ok(Some(compared))
}

/// Waits for entries that are missing: their facts may be on their way.
async fn patiently(
    history: &History,
    sampled: &Sampled,
    end: Instant,
) -> Result<(usize, Option<String>)> {
    loop {
        let found = look(history, sampled).await?;
        if found.missing.is_empty() || Instant::now() + PAUSE >= end {
            return Ok((found.entries, found.problem(sampled)));
        }
        sleep(PAUSE).await;
    }
}

async fn look(history: &History, sampled: &Sampled) -> Result<Found> {
    let Task { tenant, id, version, .. } = &sampled.task;
    let page = history.page(tenant, *id, VERSIONS, Some(version + 1)).await?;
    let first = page.next.unwrap_or(1).max(version - Version::from(VERSIONS) + 1);
    let mut found = Found { entries: page.entries.len(), ..Found::default() };
    let entries: BTreeMap<Version, Entry> =
        page.entries.into_iter().map(|entry| (entry.version, entry)).collect();
    for version in first..=*version {
        match entries.get(&version) {
            Some(entry) if agrees(sampled, entry) => (),
            Some(_) => found.wrong.push(format!("version {version} is another one")),
            None if page.unreadable.contains(&version) => {
                found.wrong.push(format!("version {version} cannot be read"));
            }
            None if pending(sampled, version).is_some() => (),
            None => found.missing.push(version),
        }
    }
    Ok(found)
}

impl Found {
    fn problem(self, sampled: &Sampled) -> Option<String> {
        let missing = self.missing.iter().map(|version| format!("version {version} is missing"));
        let all: Vec<String> = self.wrong.iter().cloned().chain(missing).take(NAMED).collect();
        let id = sampled.task.id;
        (!all.is_empty()).then(|| format!("the history of the task {id}: {}", all.join(", ")))
    }
}

/// The task as the fact of a version has it that was still to be published.
fn pending(sampled: &Sampled, version: Version) -> Option<&Task> {
    sampled.pending.iter().find(|fact| fact.version == version)
}

/// Whether an entry is what the database knows of its version.
fn agrees(sampled: &Sampled, entry: &Entry) -> bool {
    let Ok(kept) = serde_json::from_str::<Task>(entry.task.get()) else { return false };
    let task = &sampled.task;
    let is_last = entry.version == task.version;
    let known = if is_last { Some(task) } else { pending(sampled, entry.version) };
    let is_of_the_task =
        (&kept.tenant, kept.id, kept.version) == (&task.tenant, task.id, entry.version);
    known.map_or(is_of_the_task, |known| *known == kept)
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn task(version: Version, title: &str) -> Task {
        let task = json!({
            "id": "0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10", "tenant": "acme", "title": title,
            "status": "open", "priority": "normal", "tags": [], "version": version,
            "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z",
        });
        serde_json::from_value(task).unwrap()
    }

    fn entry(version: Version, task: &Task) -> Entry {
        let task = serde_json::value::to_raw_value(task).unwrap();
        let time = Timestamp::UNIX_EPOCH;
        Entry { version, r#type: String::new(), time, actor: None, task }
    }

    #[test]
    fn an_entry_is_what_the_database_knows_of_its_version() {
        let sampled = Sampled { task: task(3, "c"), pending: vec![task(2, "b"), task(3, "c")] };
        assert!(agrees(&sampled, &entry(3, &task(3, "c"))));
        assert!(!agrees(&sampled, &entry(3, &task(3, "x"))), "not the task");
        assert!(agrees(&sampled, &entry(2, &task(2, "b"))));
        assert!(!agrees(&sampled, &entry(2, &task(2, "x"))), "not its fact");
        assert!(agrees(&sampled, &entry(1, &task(1, "x"))), "nothing else knows it");
        assert!(!agrees(&sampled, &entry(1, &task(2, "a"))), "of another version");
        let mut other = task(1, "a");
        other.tenant = "other".parse().unwrap();
        assert!(!agrees(&sampled, &entry(1, &other)), "of another tenant");
    }
}
