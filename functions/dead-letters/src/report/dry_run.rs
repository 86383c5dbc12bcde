//! What a replay would do.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use schemars::JsonSchema;
use serde::Serialize;

use super::changes::{Change, MOST_CHANGES, changes};
use super::groups::{Counted, Group};
use super::read::{Extent, Reading, read_all};
use crate::arguments::ReplayArguments;
use crate::dead_letter::DeadLetter;
use crate::edit::Editor;
use crate::effects::{Commands, Effects};
use crate::replay::Targets;

/// What `replay --dry-run --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DryRun {
    queue: String,
    read: u64,
    in_queue: u64,
    /// Whether everything was read.
    complete: bool,
    /// What would be sent, by the target queue.
    pub(crate) targets: BTreeMap<String, u64>,
    /// What would not be sent, by the cause.
    pub(crate) failures: BTreeMap<String, u64>,
    pub(crate) groups: Vec<Group>,
    /// What an edit would change in the first messages.
    pub(crate) changes: Vec<Change>,
    /// Commands among them that took effect already; none if that is not known.
    pub(crate) took_effect: Option<usize>,
}

/// Reads what would be replayed. With it, what an operator should know of the read.
pub(crate) async fn dry_run(
    aws: &SdkConfig,
    reading: Reading<'_>,
    arguments: &ReplayArguments,
) -> anyhow::Result<(DryRun, Vec<String>)> {
    let queue = reading.queue.name.clone();
    let found = Targets::find(reading.queue, arguments).await?;
    let editor = Editor::from_arguments(&arguments.edit)?;
    let most_changes = if editor.is_some() { MOST_CHANGES } else { 0 };
    let mut first = Vec::new();
    let see = |dead_letter: &DeadLetter| {
        if first.len() < most_changes {
            first.push(dead_letter.clone());
        }
    };
    let effects = Effects::from_environment().await?;
    let mut commands = Commands::default();
    let mut counted = Counted::default();
    let (mut targets, mut failures) = (BTreeMap::new(), BTreeMap::new());
    let extent = read_all(reading, &arguments.which, see, |summary| {
        let (counts, key) = match found.of(&summary) {
            Ok(target) => {
                if effects.is_some() {
                    commands.add(&summary);
                }
                (&mut targets, target.name.clone())
            }
            Err(failure) => (&mut failures, failure),
        };
        *counts.entry(key).or_default() += 1;
        counted.add(summary);
        Ok(())
    });
    let extent = extent.await?;
    let changes = match editor {
        Some(editor) => changes(&editor, &objects::client(aws), &found, &first).await,
        None => Vec::new(),
    };
    let took_effect = match &effects {
        Some(effects) => effects.of(&commands).await.map(|found| found.len()),
        None => None,
    };
    let complete = extent.is_complete();
    let Extent { read, in_queue, notes, .. } = extent;
    let groups = counted.sorted();
    let report =
        DryRun { queue, read, in_queue, complete, targets, failures, groups, changes, took_effect };
    Ok((report, notes))
}
