//! `dead-letters replay --dry-run`: what would be replayed.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::Serialize;

use super::Context;
use super::changes::{Change, MOST_CHANGES, changes};
use super::groups::{Group, Groups, print};
use super::read::{Extent, read_all};
use crate::arguments::ReplayArguments;
use crate::dead_letter::DeadLetter;
use crate::edit::Editor;
use crate::effects::{Commands, Effects};
use crate::output::{self, Progress, note};
use crate::queue::find;
use crate::replay::Targets;

/// What `replay --dry-run --json` prints.
#[derive(Serialize)]
struct Report<'a> {
    queue: &'a str,
    read: u64,
    in_queue: u64,
    /// Whether everything was read.
    complete: bool,
    /// What would be sent, by the target queue.
    targets: &'a BTreeMap<String, u64>,
    /// What would not be sent, by the cause.
    failures: &'a BTreeMap<String, u64>,
    groups: &'a [Group],
    /// What an edit would change in the first messages.
    changes: &'a [Change],
    /// Commands among them that took effect already; `None` if that is not known.
    took_effect: Option<usize>,
}

pub(super) async fn run(context: &Context, arguments: &ReplayArguments) -> Result<()> {
    let Some(queue) = &arguments.queue else { bail!("a queue is needed") };
    let queue = find(&context.client, queue).await?;
    let targets = Targets::find(&queue, arguments).await?;
    let progress = Progress::of(queue.depth.visible)?;
    let editor = Editor::from_arguments(&arguments.edit)?;
    let most_changes = if editor.is_some() { MOST_CHANGES } else { 0 };
    let mut first = Vec::new();
    let see = |dead_letter: &DeadLetter| {
        if first.len() < most_changes {
            first.push(dead_letter.clone());
        }
    };
    let effects = Effects::from_environment()?;
    let mut commands = Commands::default();
    let mut groups = Groups::default();
    let (mut sent, mut failures) = (BTreeMap::new(), BTreeMap::new());
    let extent = read_all(context, &queue, &arguments.which, &progress, see, |summary| {
        let (counts, key) = match targets.of(&summary) {
            Ok(target) => {
                if effects.is_some() {
                    commands.add(&summary);
                }
                (&mut sent, target.name.clone())
            }
            Err(failure) => (&mut failures, failure),
        };
        *counts.entry(key).or_default() += 1;
        groups.add(summary);
        Ok(())
    })
    .await?;
    drop(progress);
    let changes = changes(context, editor.as_ref(), &targets, &first).await;
    let took_effect = match &effects {
        Some(effects) => effects.of(&commands).await.map(|found| found.len()),
        None => None,
    };
    let Extent { read, in_queue, .. } = extent;
    let (queue, complete) = (queue.name.as_str(), read >= in_queue);
    let groups = groups.sorted();
    let report = Report {
        queue,
        read,
        in_queue,
        complete,
        targets: &sent,
        failures: &failures,
        groups: &groups,
        changes: &changes,
        took_effect,
    };
    if arguments.json {
        return output::json(&report);
    }
    print(&groups, context.now)?;
    changes.iter().try_for_each(Change::print)?;
    for (target, count) in &sent {
        note(&format!("{count} would be sent to {target}"));
    }
    for (failure, count) in &failures {
        note(&format!("{count} would stay: {failure}"));
    }
    if let Some(count) = took_effect.filter(|count| *count > 0) {
        note(&format!("{count} of them took effect already: to replay them has no second effect"));
    }
    note("this is a dry run: nothing was changed");
    Ok(())
}
