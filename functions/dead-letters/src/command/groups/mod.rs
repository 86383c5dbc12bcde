//! `dead-letters groups`: what failed for one cause, counted.

use std::collections::HashMap;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Context;
use super::read::{Extent, read};
use crate::arguments::Selection;
use crate::dead_letter::{MovedBy, Summary, fingerprint};
use crate::output::{self, HEADING, Progress, REASON, age, or_dash, printable};
use crate::queue::find;

/// Groups that are kept apart. Messages of further ones are only counted.
const MOST_GROUPS: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
struct Cause {
    reason: Option<String>,
    r#type: Option<String>,
    /// What the details have in common.
    fingerprint: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Group {
    count: u64,
    #[serde(flatten)]
    cause: Cause,
    moved_by: Option<MovedBy>,
    first_sent_at: Option<DateTime<Utc>>,
    last_sent_at: Option<DateTime<Utc>>,
    sample: Sample,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Sample {
    message_id: String,
    detail: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: HashMap<Cause, Group>,
    ungrouped: u64,
}

/// What `groups --json` prints.
#[derive(Serialize)]
struct Report<'a> {
    queue: &'a str,
    read: u64,
    in_queue: u64,
    /// Whether everything was read.
    complete: bool,
    matched: u64,
    ungrouped: u64,
    groups: &'a [Group],
}

pub(super) async fn run(context: &Context, selection: &Selection, json: bool) -> Result<()> {
    let queue = find(&context.client, &selection.queue).await?;
    let mut groups = Groups::default();
    let progress = Progress::of(queue.depth.visible)?;
    let now = context.now;
    let extent = read(context, &queue, &selection.which, &progress, |dead_letter| {
        groups.add(dead_letter);
        Ok(())
    })
    .await?;
    drop(progress);
    let ungrouped = groups.ungrouped;
    let groups = groups.sorted();
    let Extent { read, in_queue, matched } = extent;
    if json {
        let (queue, complete) = (queue.name.as_str(), read >= in_queue);
        let groups = &groups;
        return output::json(&Report {
            queue,
            read,
            in_queue,
            complete,
            matched,
            ungrouped,
            groups,
        });
    }
    if ungrouped > 0 {
        output::note(&format!("{ungrouped} messages are of more than {MOST_GROUPS} groups"));
    }
    print(&groups, now)
}

impl Groups {
    pub(super) fn add(&mut self, dead_letter: Summary) {
        let cause = Cause {
            fingerprint: dead_letter.detail.as_deref().map(fingerprint),
            reason: dead_letter.reason,
            r#type: dead_letter.r#type,
        };
        let is_full = self.groups.len() >= MOST_GROUPS;
        if is_full && !self.groups.contains_key(&cause) {
            self.ungrouped += 1;
            return;
        }
        let sent = dead_letter.sent_at;
        let sample = Sample { message_id: dead_letter.message_id, detail: dead_letter.detail };
        let group = self.groups.entry(cause.clone()).or_insert(Group {
            count: 0,
            cause,
            moved_by: dead_letter.moved_by,
            first_sent_at: sent,
            last_sent_at: sent,
            sample,
        });
        group.count += 1;
        group.first_sent_at = group.first_sent_at.into_iter().chain(sent).min();
        group.last_sent_at = group.last_sent_at.max(sent);
    }

    /// The largest first.
    pub(super) fn sorted(self) -> Vec<Group> {
        let mut groups: Vec<_> = self.groups.into_values().collect();
        groups.sort_by(|one, other| {
            other.count.cmp(&one.count).then_with(|| one.cause.cmp(&other.cause))
        });
        groups
    }
}

pub(super) fn print(groups: &[Group], now: DateTime<Utc>) -> Result<()> {
    let heading = format!(
        "{:>7}  {:24}  {:32}  {:>5}  {:>5}  SAMPLE",
        "COUNT", "REASON", "TYPE", "FIRST", "LAST"
    );
    output::line(&format!("{HEADING}{heading}{HEADING:#}"))?;
    let since = |time: Option<DateTime<Utc>>| {
        age(time.map(|time| (now - time).num_seconds()).and_then(|age| u64::try_from(age).ok()))
    };
    for Group { count, cause, moved_by, first_sent_at, last_sent_at, sample } in groups {
        output::line(&format!(
            "{count:>7}  {REASON}{:24}{REASON:#}  {:32}  {:>5}  {:>5}  {}",
            or_dash(cause.reason.as_deref()),
            or_dash(cause.r#type.as_deref()),
            since(*first_sent_at),
            since(*last_sent_at),
            printable(&sample.message_id),
        ))?;
        match (&cause.fingerprint, moved_by) {
            (Some(fingerprint), _) => {
                output::line(&format!("         {}", printable(fingerprint)))?;
            }
            (None, Some(MovedBy::Sqs)) => {
                output::line("         moved by SQS after its last delivery")?;
            }
            _ => (),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
