//! Messages that were read and are to be sent, and which of them may be.
//!
//! At most one message of a group is on its way, so that the order of each group stays, whatever fails.

use std::collections::{HashSet, VecDeque};

use super::outgoing::Outgoing;

/// Messages, and their bytes, that are held at a time. Of few groups many are read, to find others.
const MOST: usize = 1_000;
const MOST_BYTES: usize = 64 << 20;
/// Entries of a batch: the most that SQS allows.
const BATCH: usize = 10;

#[derive(Debug, Default)]
pub(super) struct Window {
    /// By line.
    waiting: VecDeque<Outgoing>,
    bytes: usize,
    /// Groups of which a message is on its way.
    busy: HashSet<String>,
    last_taken: u64,
}

impl Window {
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST || self.bytes >= MOST_BYTES
    }

    /// Adds the message of the next line.
    pub(super) fn add(&mut self, message: Outgoing) {
        self.bytes += message.bytes;
        self.waiting.push_back(message);
    }

    /// Takes messages that may be sent together, of so many bytes and up to this line.
    pub(super) fn take(&mut self, most_bytes: usize, last_line: u64) -> Vec<Outgoing> {
        let (mut batch, mut bytes, mut passed) = (Vec::new(), 0, Vec::new());
        let mut passed_groups = HashSet::new();
        while let Some(message) = self.waiting.pop_front() {
            let group = message.ordered_group.clone();
            let is_blocked = group
                .as_ref()
                .is_some_and(|group| self.busy.contains(group) || passed_groups.contains(group));
            let is_end = batch.len() == BATCH || message.line > last_line;
            if is_end || !is_blocked && bytes + message.bytes > most_bytes && !batch.is_empty() {
                self.waiting.push_front(message);
                break;
            }
            if is_blocked {
                passed_groups.extend(group);
                passed.push(message);
            } else {
                bytes += message.bytes;
                self.busy.extend(group);
                self.last_taken = self.last_taken.max(message.line);
                batch.push(message);
            }
        }
        passed.into_iter().rev().for_each(|message| self.waiting.push_front(message));
        self.bytes = self.bytes.saturating_sub(bytes);
        batch
    }

    /// The last line that was taken.
    pub(super) fn last_taken(&self) -> u64 {
        self.last_taken
    }

    /// Takes note that a message was sent.
    pub(super) fn sent(&mut self, message: &Outgoing) {
        if let Some(group) = &message.ordered_group {
            self.busy.remove(group);
        }
    }

    /// The first line that is still to be sent.
    pub(super) fn first_line(&self) -> Option<u64> {
        self.waiting.front().map(|message| message.line)
    }
}

#[cfg(test)]
mod tests;
