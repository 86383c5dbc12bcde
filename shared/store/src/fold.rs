//! A batch folded over what is known, in memory: pure, and the same for any number of commands.

use std::collections::HashMap;

use domain::{
    Command, Decision, Fact, Refusal, Task, TaskId, TenantId, Timestamp, Version, decide,
};
use events::{CommandRejected, FactType};
use serde_json::value::{RawValue, to_raw_value};

use crate::inbox::{CommandKey, Fingerprint, Incoming, Outcome, Receipt, Recorded};
use crate::load::{Known, Processed};

/// What is to be written, and what to answer.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// The tasks that changed, as they are left, with the version that they had (0: none).
    pub(crate) tasks: Vec<(Version, Task)>,
    /// The commands that are new, in the order of the batch.
    pub(crate) commands: Vec<NewCommand>,
    /// The facts to publish, in the order of the batch.
    pub(crate) facts: Vec<NewFact>,
    /// One receipt per command, in the order of the batch.
    pub(crate) receipts: Vec<Receipt>,
}

impl Folded {
    /// Whether to write it is to find out if a task that one of `batch` was decided on has changed since.
    pub(crate) fn verifies_tasks(&self, batch: &[Incoming]) -> bool {
        let is_written = |command: &Command| {
            let key = (&command.tenant, command.task);
            self.tasks.binary_search_by(|(_, task)| (&task.tenant, task.id).cmp(&key)).is_ok()
        };
        let decided = self.commands.iter().filter_map(|command| batch.get(command.index));
        decided.map(|incoming| &incoming.command).all(is_written)
    }

    /// Whether a key was used before, by another command.
    pub(crate) fn has_reused_key(&self) -> bool {
        self.receipts.iter().any(|receipt| receipt.outcome == Outcome::KeyReused)
    }
}

#[derive(Debug)]
pub(crate) struct NewCommand {
    /// Which of the batch it is.
    pub(crate) index: usize,
    /// Under what it is recorded.
    pub(crate) key: CommandKey,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) recorded: Recorded,
}

#[derive(Debug)]
pub(crate) struct NewFact {
    /// Which of the batch led to it.
    pub(crate) index: usize,
    pub(crate) kind: FactType,
    pub(crate) data: Box<RawValue>,
    /// When it came true: not before the fact of its task that comes before it.
    pub(crate) occurred_at: Timestamp,
}

/// Folds `batch`, in order, over what is `known`; each command decides its own outcome.
pub(crate) fn fold(
    batch: &[Incoming],
    mut known: Known,
    now: Timestamp,
) -> Result<Folded, serde_json::Error> {
    let mut folded = Folded::default();
    let versions: HashMap<_, _> =
        known.tasks.iter().map(|(key, task)| (key.clone(), task.version)).collect();
    for (index, incoming) in batch.iter().enumerate() {
        let receipt = one(index, incoming, &mut known, &mut folded, now)?;
        folded.receipts.push(receipt);
    }
    folded.tasks = changed(known.tasks, &versions);
    Ok(folded)
}

fn one(
    index: usize,
    incoming: &Incoming,
    known: &mut Known,
    folded: &mut Folded,
    now: Timestamp,
) -> Result<Receipt, serde_json::Error> {
    let command = &incoming.command;
    let task_key = (command.tenant.clone(), command.task);
    let key = known.key(incoming);
    let command_key = (command.tenant.clone(), key.clone());
    let fingerprint = incoming.fingerprint()?;

    if let Some(processed) = known.commands.get(&command_key) {
        let processed = processed.as_ref();
        return Ok(processed
            .map_or(UNREADABLE, |processed| repeat(processed, &fingerprint, known, command)));
    }
    if known.unreadable.contains(&task_key) {
        return Ok(UNREADABLE);
    }
    let recorded = decided(index, incoming, &task_key, known, folded, now)?;
    let processed = Processed {
        task: command.task,
        fingerprint: fingerprint.to_vec(),
        recorded: recorded.clone(),
    };
    if let Some(caller) = &incoming.caller {
        known.callers.insert(command_key.clone(), caller.to_string());
    }
    known.commands.insert(command_key, Some(processed));
    folded.commands.push(NewCommand { index, key, fingerprint, recorded: recorded.clone() });
    let task = known.tasks.get(&task_key).cloned();
    Ok(Receipt { outcome: recorded.into(), repeated: false, task })
}

/// Nothing is recorded, so that the command can be applied once the row is repaired.
const UNREADABLE: Receipt = Receipt { outcome: Outcome::Unreadable, repeated: false, task: None };

/// The receipt of a command whose key was used before.
fn repeat(
    processed: &Processed,
    fingerprint: &Fingerprint,
    known: &Known,
    command: &Command,
) -> Receipt {
    let task_key = (command.tenant.clone(), processed.task);
    if processed.fingerprint != fingerprint {
        let task = known.tasks.get(&task_key).cloned();
        return Receipt { outcome: Outcome::KeyReused, repeated: true, task };
    }
    if known.unreadable.contains(&task_key) {
        return UNREADABLE;
    }
    let task = known.tasks.get(&task_key).cloned();
    Receipt { outcome: processed.recorded.clone().into(), repeated: true, task }
}

/// Lets the rules decide on a new command, and keeps what follows.
fn decided(
    index: usize,
    incoming: &Incoming,
    task_key: &(TenantId, TaskId),
    known: &mut Known,
    folded: &mut Folded,
    now: Timestamp,
) -> Result<Recorded, serde_json::Error> {
    let task = known.tasks.get(task_key);
    Ok(match decide(task, &incoming.command, now) {
        Ok(Decision::Changed { task, fact }) => {
            folded.facts.push(changed_fact(index, fact, &task)?);
            let version = task.version;
            known.tasks.insert(task_key.clone(), task);
            Recorded::Applied { version }
        }
        Ok(Decision::Unchanged) => {
            Recorded::Applied { version: task.map_or(0, |task| task.version) }
        }
        Err(refusal) => {
            let at = task.map_or(now, |task| now.max(task.updated_at));
            folded.facts.push(rejected_fact(index, incoming, &refusal, at)?);
            Recorded::Refused(refusal)
        }
    })
}

fn changed_fact(index: usize, fact: Fact, task: &Task) -> Result<NewFact, serde_json::Error> {
    let (kind, data) = (FactType::Task(fact), to_raw_value(task)?);
    Ok(NewFact { index, kind, data, occurred_at: task.updated_at })
}

fn rejected_fact(
    index: usize,
    incoming: &Incoming,
    refusal: &Refusal,
    occurred_at: Timestamp,
) -> Result<NewFact, serde_json::Error> {
    let data = to_raw_value(&CommandRejected {
        command_source: incoming.key.source.clone(),
        command_id: incoming.key.id.clone(),
        refusal: refusal.clone(),
    })?;
    Ok(NewFact { index, kind: FactType::CommandRejected, data, occurred_at })
}

/// The tasks whose version moved, in key order: the order in which their rows are written.
fn changed(
    tasks: HashMap<(TenantId, TaskId), Task>,
    versions: &HashMap<(TenantId, TaskId), Version>,
) -> Vec<(Version, Task)> {
    let mut changed: Vec<_> = tasks
        .into_iter()
        .map(|(key, task)| (versions.get(&key).copied().unwrap_or(0), task))
        .filter(|(before, task)| task.version != *before)
        .collect();
    changed.sort_by(|(_, a), (_, b)| (&a.tenant, a.id).cmp(&(&b.tenant, b.id)));
    changed
}
