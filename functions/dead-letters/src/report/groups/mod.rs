//! What failed for one cause, counted.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::read::{Extent, Reading, read};
use crate::arguments::Which;
use crate::dead_letter::{MovedBy, Summary, fingerprint};

/// Groups that are kept apart. Messages of further ones are only counted.
const MOST_GROUPS: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
pub(crate) struct Cause {
    pub(crate) reason: Option<String>,
    pub(crate) r#type: Option<String>,
    /// What the details have in common.
    pub(crate) fingerprint: Option<String>,
    pub(crate) moved_by: Option<MovedBy>,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Group {
    pub(crate) count: u64,
    #[serde(flatten)]
    pub(crate) cause: Cause,
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub(crate) first_sent_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub(crate) last_sent_at: Option<DateTime<Utc>>,
    pub(crate) sample: Sample,
}

#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Sample {
    pub(crate) message_id: String,
    pub(crate) detail: Option<String>,
}

/// What `groups --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Grouped {
    queue: String,
    read: u64,
    in_queue: u64,
    /// Whether everything was read.
    complete: bool,
    pub(crate) matched: u64,
    ungrouped: u64,
    pub(crate) groups: Vec<Group>,
}

#[derive(Debug, Default)]
pub(super) struct Counted {
    groups: HashMap<Cause, Group>,
    ungrouped: u64,
}

/// Counts what is selected, and passes it to `on`, too. With it, what an operator should know of
/// the read.
pub(crate) async fn groups(
    reading: Reading<'_>,
    which: &Which,
    mut on: impl FnMut(&Summary) + Send,
) -> anyhow::Result<(Grouped, Vec<String>)> {
    let queue = reading.queue.name.clone();
    let mut counted = Counted::default();
    let extent = read(reading, which, |dead_letter| {
        on(&dead_letter);
        counted.add(dead_letter);
        Ok(())
    });
    let extent = extent.await?;
    let complete = extent.is_complete();
    let Extent { read, in_queue, matched, mut notes } = extent;
    let ungrouped = counted.ungrouped;
    if ungrouped > 0 {
        notes.push(format!("{ungrouped} messages are of more than {MOST_GROUPS} groups"));
    }
    let groups = counted.sorted();
    Ok((Grouped { queue, read, in_queue, complete, matched, ungrouped, groups }, notes))
}

impl Counted {
    pub(super) fn add(&mut self, dead_letter: Summary) {
        let cause = Cause {
            fingerprint: dead_letter.detail.as_deref().map(fingerprint),
            reason: dead_letter.reason,
            r#type: dead_letter.r#type,
            moved_by: dead_letter.moved_by,
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

#[cfg(test)]
mod tests;
