//! Messages that were read and wait to be sent, by a replay or an import: of each group one at a time, in its
//! order.
//!
//! A batch may fail in part. Were two messages of a group in one batch, the second one could be sent without
//! the first.

use std::collections::{HashMap, HashSet, VecDeque};

/// What is to be sent.
pub(crate) trait Item {
    /// The group in which it has a place.
    fn group(&self) -> Option<&str>;
    fn bytes(&self) -> usize;
}

/// The queue of what is ready.
pub(crate) struct Ready<T> {
    /// Without a place in a group.
    loose: VecDeque<T>,
    groups: HashMap<String, VecDeque<T>>,
    /// Groups of which something is ready and nothing is being sent.
    idle: VecDeque<String>,
    busy: HashSet<String>,
    /// Groups to which nothing more may be added.
    closed: HashSet<String>,
    len: usize,
    bytes: usize,
}

impl<T: Item> Ready<T> {
    pub(crate) fn new() -> Self {
        Self {
            loose: VecDeque::new(),
            groups: HashMap::new(),
            idle: VecDeque::new(),
            busy: HashSet::new(),
            closed: HashSet::new(),
            len: 0,
            bytes: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops what is ready and not to be sent. Returns it, in no particular order.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut dropped = Vec::new();
        for line in self.groups.values_mut().chain([&mut self.loose]) {
            let (kept, others) = std::mem::take(line).into_iter().partition(|item| keep(item));
            *line = kept;
            dropped.extend::<VecDeque<T>>(others);
        }
        let groups = &self.groups;
        self.idle.retain(|group| groups.get(group).is_some_and(|line| !line.is_empty()));
        self.len -= dropped.len();
        self.bytes -= dropped.iter().map(Item::bytes).sum::<usize>();
        dropped
    }

    /// Adds an item behind all others of its group; it is given back if its group is closed.
    pub(crate) fn push(&mut self, item: T) -> Result<(), T> {
        let bytes = item.bytes();
        match item.group().map(str::to_owned) {
            None => self.loose.push_back(item),
            Some(group) if self.closed.contains(&group) => return Err(item),
            Some(group) => {
                let line = self.groups.entry(group.clone()).or_default();
                line.push_back(item);
                if line.len() == 1 && !self.busy.contains(&group) {
                    self.idle.push_back(group);
                }
            }
        }
        self.len += 1;
        self.bytes += bytes;
        Ok(())
    }

    /// The next items, which are being sent from now on: no more than so many and so many bytes, but one.
    pub(crate) fn take(&mut self, most: usize, most_bytes: usize) -> Vec<T> {
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while taken.len() < most {
            let next = self.loose.front().or_else(|| self.groups.get(self.idle.front()?)?.front());
            let Some(size) = next.map(Item::bytes) else { break };
            if !taken.is_empty() && bytes + size > most_bytes {
                break;
            }
            let Some(item) = self.pop() else { break };
            bytes += size;
            taken.push(item);
        }
        self.len -= taken.len();
        self.bytes -= bytes;
        taken
    }

    fn pop(&mut self) -> Option<T> {
        if let Some(item) = self.loose.pop_front() {
            return Some(item);
        }
        let group = self.idle.pop_front()?;
        let item = self.groups.get_mut(&group)?.pop_front()?;
        self.busy.insert(group);
        Some(item)
    }

    /// Nothing of the group is being sent any more.
    pub(crate) fn sent(&mut self, group: &str) {
        self.busy.remove(group);
        if self.groups.get(group).is_some_and(|line| !line.is_empty()) {
            self.idle.push_back(group.to_owned());
        } else {
            self.groups.remove(group);
        }
    }

    /// Nothing more of the group may be added.
    pub(crate) fn close(&mut self, group: &str) {
        self.closed.insert(group.to_owned());
    }

    /// Nothing of the group may be added or sent any more. Returns how many items of it were ready.
    pub(crate) fn block(&mut self, group: &str) -> usize {
        self.busy.remove(group);
        self.idle.retain(|idle| idle != group);
        self.close(group);
        let dropped = self.groups.remove(group).unwrap_or_default();
        self.len -= dropped.len();
        self.bytes -= dropped.iter().map(Item::bytes).sum::<usize>();
        dropped.len()
    }
}

#[cfg(test)]
mod tests;
