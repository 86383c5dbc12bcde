//! Which messages are meant: the same options for every command.
//!
//! Everything is parsed with the command line, so a mistake is pointed at before the first request.

mod age;
mod attempts;
mod attribute;
mod condition;
mod pattern;

pub(crate) use age::seconds;
pub(crate) use condition::{Condition, Kind, negated};

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use condition::Candidate;

use crate::dead_letter::DeadLetter;

/// For each kind of condition that is given, one of them must hold; and none of the negated ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    wanted: BTreeMap<Kind, Vec<Condition>>,
    unwanted: Vec<Condition>,
}

impl Filter {
    pub(crate) fn new(
        wanted: impl IntoIterator<Item = Condition>,
        unwanted: Vec<Condition>,
    ) -> Self {
        let mut by_kind = BTreeMap::<_, Vec<_>>::new();
        for condition in wanted {
            by_kind.entry(condition.kind).or_default().push(condition);
        }
        Self { wanted: by_kind, unwanted }
    }

    /// What was asked for, as one would write it: `reason=x`, `not tenant=y`.
    pub(crate) fn texts(&self) -> Vec<String> {
        let wanted = self.wanted.values().flatten().map(ToString::to_string);
        wanted.chain(self.unwanted.iter().map(|condition| format!("not {condition}"))).collect()
    }

    /// Whether a dead letter is meant, at the time `now`.
    pub(crate) fn fits(&self, dead_letter: &DeadLetter, now: DateTime<Utc>) -> bool {
        let candidate = Candidate::new(dead_letter, now);
        let holds = |condition: &Condition| condition.holds(&candidate);
        // The bodies are looked into last: they are the last kinds.
        !self.unwanted.iter().any(holds) && self.wanted.values().all(|any| any.iter().any(holds))
    }
}

#[cfg(test)]
mod tests;
