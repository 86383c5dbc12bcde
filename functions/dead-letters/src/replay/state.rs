//! What is known of a run so far.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Display, Formatter};

use causes::with_causes;
use records::replays::Run as Record;
use uuid::Uuid;

use super::rate::Rate;
use crate::dead_letter::DeadLetter;
use crate::output::{Progress, note, printable};
use crate::queue::MOST_IN_FLIGHT;

/// Failures that are printed. The ledger has all of them.
const PRINTED_FAILURES: u64 = 20;

/// Why a run stopped before its end.
#[derive(Debug)]
pub(super) enum Stop {
    Interrupted,
    /// No more messages may be held.
    Full,
    /// Something does not answer.
    Failed(anyhow::Error),
    /// Messages of a stage came back, or nobody knows what became of them.
    Canary(String),
}

impl Display for Stop {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => write!(formatter, "interrupted"),
            Self::Full => write!(
                formatter,
                "{MOST_IN_FLIGHT} messages that are not selected are held, and no more may be: narrow \
                 the queue first, or replay these"
            ),
            Self::Failed(error) => formatter.write_str(&with_causes(error.as_ref())),
            Self::Canary(what) => write!(formatter, "{what}"),
        }
    }
}

/// The changing part of a run.
pub(super) struct State {
    pub(super) record: Record,
    pub(super) rate: Rate,
    pub(super) progress: Progress,
    /// How many messages were sent to the dead-letter queue after the run had begun, by the id that they
    /// had first. One of this process is among them for as long as it is not known that it was sent.
    newer: HashMap<String, u64>,
    /// The ids of messages that were sent before the run was resumed, and perhaps not deleted.
    pub(super) sent_before: HashSet<Uuid>,
    /// The new ids of what this process sent: 16 bytes for each of perhaps a million.
    sent: HashSet<Uuid>,
    returned: HashSet<String>,
}

impl State {
    pub(super) fn new(
        record: Record,
        sent_before: HashSet<Uuid>,
        rate: Rate,
        progress: Progress,
    ) -> Self {
        let (newer, sent, returned) = (HashMap::new(), HashSet::new(), HashSet::new());
        Self { record, rate, progress, newer, sent_before, sent, returned }
    }

    pub(super) fn sent(&mut self, sent_id: &str, is_edited: bool, perhaps_twice: bool) {
        let counts = &mut self.record.counts;
        counts.sent += 1;
        counts.edited += u64::from(is_edited);
        counts.perhaps_twice += u64::from(perhaps_twice);
        self.sent.extend(Uuid::try_parse(sent_id));
        // A consumer may be faster than the answer to its sending.
        if self.newer.remove(sent_id).is_some() {
            self.count_returned(sent_id);
        }
        self.progress.advance();
    }

    pub(super) fn failed(&mut self, id: &str, failure: &str) {
        let counts = &mut self.record.counts;
        counts.failed += 1;
        if counts.failed <= PRINTED_FAILURES {
            note(&format!("{} is not replayed: {}", printable(id), printable(failure)));
        }
    }

    pub(super) fn held_back(&mut self, messages: usize) {
        self.record.counts.held_back += messages as u64;
    }

    /// Whether this process sent a message, which is a dead letter again.
    pub(super) fn came_back(&mut self, dead_letter: &DeadLetter) -> bool {
        let is_ours = |id: &str| Uuid::try_parse(id).is_ok_and(|id| self.sent.contains(&id));
        let came_back = is_ours(dead_letter.sent_id());
        if came_back {
            self.count_returned(dead_letter.sent_id());
        }
        came_back
    }

    /// Counts a message of this process that came back, once.
    fn count_returned(&mut self, sent_id: &str) {
        if self.returned.insert(sent_id.to_owned()) {
            self.record.counts.returned += 1;
        }
    }

    /// Notes a message that was sent to the dead-letter queue after the run had begun, by others as far as
    /// is known.
    pub(super) fn note_newer(&mut self, dead_letter: &DeadLetter) {
        *self.newer.entry(dead_letter.sent_id().to_owned()).or_default() += 1;
    }

    /// How many messages others sent to the dead-letter queue since the run began.
    pub(super) fn newer(&self) -> u64 {
        self.newer.values().sum()
    }
}
