//! A queue: the messages of a group leave it in their order, and none while another of its group is in flight.
//!
//! A message of a standard queue is a group of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// Of the messages of a queue: where each of them is.
pub(crate) struct Queue<M> {
    groups: HashMap<String, Group<M>>,
    /// Groups that have a message and none in flight.
    ready: VecDeque<String>,
    in_flight: HashMap<u64, InFlight<M>>,
    /// By the time when they become visible again.
    invisible: BTreeSet<(Instant, u64)>,
    last_message: u64,
    last_receipt: u64,
    waiting: usize,
}

struct Group<M> {
    /// By their number.
    waiting: BTreeMap<u64, (M, u32)>,
    in_flight: usize,
}

struct InFlight<M> {
    group: String,
    number: u64,
    message: M,
    receives: u32,
    until: Instant,
}

/// A message that was received.
#[derive(Debug, PartialEq)]
pub(crate) struct Received<M> {
    pub(crate) receipt: u64,
    pub(crate) number: u64,
    pub(crate) message: M,
    /// How often, this time included.
    pub(crate) receives: u32,
}

impl<M> Default for Queue<M> {
    fn default() -> Self {
        Self {
            groups: HashMap::new(),
            ready: VecDeque::new(),
            in_flight: HashMap::new(),
            invisible: BTreeSet::new(),
            last_message: 0,
            last_receipt: 0,
            waiting: 0,
        }
    }
}

impl<M: Clone> Queue<M> {
    /// Adds a message, to a group or alone; returns its number.
    pub(crate) fn send(&mut self, group: Option<&str>, message: M) -> u64 {
        self.last_message += 1;
        let number = self.last_message;
        let group = group.map_or_else(|| number.to_string(), str::to_owned);
        self.wait(group, number, message, 0);
        number
    }

    fn wait(&mut self, name: String, number: u64, message: M, receives: u32) {
        let new = || Group { waiting: BTreeMap::new(), in_flight: 0 };
        let group = self.groups.entry(name.clone()).or_insert_with(new);
        if group.waiting.is_empty() && group.in_flight == 0 {
            self.ready.push_back(name);
        }
        group.waiting.insert(number, (message, receives));
        self.waiting += 1;
    }

    /// Takes at most so many messages, which are invisible for a time.
    pub(crate) fn receive(
        &mut self,
        most: usize,
        time: Duration,
        now: Instant,
    ) -> Vec<Received<M>> {
        self.reappear(now);
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(name) = self.ready.pop_front() else { break };
            let Some(group) = self.groups.get_mut(&name) else { continue };
            while taken.len() < most {
                let Some((number, (message, before))) = group.waiting.pop_first() else { break };
                group.in_flight += 1;
                self.waiting -= 1;
                self.last_receipt += 1;
                let (receipt, receives, until) = (self.last_receipt, before + 1, now + time);
                self.invisible.insert((until, receipt));
                taken.push(Received { receipt, number, message: message.clone(), receives });
                let group = name.clone();
                let flight = InFlight { group, number, message, receives, until };
                self.in_flight.insert(receipt, flight);
            }
        }
        taken
    }

    /// Deletes a message. `false` if it is not in flight by this receipt.
    pub(crate) fn delete(&mut self, receipt: u64) -> bool {
        self.land(receipt).is_some()
    }

    /// Changes for how long a message is invisible, from now on. `false` if it is not in flight.
    pub(crate) fn change_visibility(&mut self, receipt: u64, time: Duration, now: Instant) -> bool {
        let Some(flight) = self.in_flight.get_mut(&receipt) else { return false };
        self.invisible.remove(&(flight.until, receipt));
        flight.until = now + time;
        self.invisible.insert((flight.until, receipt));
        self.reappear(now);
        true
    }

    /// Messages that can or could be received, and those in flight.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.waiting, self.in_flight.len())
    }

    /// How many messages were sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.last_message
    }

    /// When the next message becomes visible again.
    pub(crate) fn next_visible(&self) -> Option<Instant> {
        self.invisible.first().map(|(until, _)| *until)
    }

    fn reappear(&mut self, now: Instant) {
        while let Some((until, receipt)) = self.invisible.first().copied()
            && until <= now
            && let Some(flight) = self.land(receipt)
        {
            self.wait(flight.group, flight.number, flight.message, flight.receives);
        }
    }

    /// Ends a flight; the group is ready if it has more.
    fn land(&mut self, receipt: u64) -> Option<InFlight<M>> {
        let flight = self.in_flight.remove(&receipt)?;
        self.invisible.remove(&(flight.until, receipt));
        let group = self.groups.get_mut(&flight.group)?;
        group.in_flight -= 1;
        if group.in_flight == 0 {
            if group.waiting.is_empty() {
                self.groups.remove(&flight.group);
            } else {
                self.ready.push_back(flight.group.clone());
            }
        }
        Some(flight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(30);

    fn received(queue: &mut Queue<&'static str>, now: Instant) -> Vec<(&'static str, u32, u64)> {
        let messages = queue.receive(10, TIME, now);
        messages.into_iter().map(|it| (it.message, it.receives, it.receipt)).collect()
    }

    fn queue_of(messages: &[(Option<&str>, &'static str)]) -> Queue<&'static str> {
        let mut queue = Queue::default();
        for (group, message) in messages {
            queue.send(*group, *message);
        }
        queue
    }

    #[test]
    fn a_group_waits_for_what_is_in_flight_and_keeps_its_order() {
        let now = Instant::now();
        let mut queue = queue_of(&[(Some("a"), "1"), (Some("b"), "2"), (Some("a"), "3")]);
        assert_eq!(received(&mut queue, now), [("1", 1, 1), ("3", 1, 2), ("2", 1, 3)]);
        queue.send(Some("a"), "4");
        assert_eq!(received(&mut queue, now), []);
        assert!(queue.delete(2));
        assert!(queue.change_visibility(1, Duration::ZERO, now));
        assert_eq!(received(&mut queue, now), [("1", 2, 4), ("4", 1, 5)]);
        assert_eq!(queue.counts(), (0, 3));
    }

    #[test]
    fn messages_without_a_group_wait_for_none() {
        let now = Instant::now();
        let mut queue = queue_of(&[(None, "1")]);
        assert_eq!(received(&mut queue, now), [("1", 1, 1)]);
        queue.send(None, "2");
        assert_eq!(received(&mut queue, now), [("2", 1, 2)]);
        assert!(queue.delete(1));
        assert!(!queue.delete(1), "it is deleted");
    }

    #[test]
    fn what_was_sent_counts_though_it_is_deleted() {
        let mut queue = queue_of(&[(None, "a"), (None, "b")]);
        for (_, _, receipt) in received(&mut queue, Instant::now()) {
            assert!(queue.delete(receipt));
        }
        assert_eq!((queue.sent(), queue.counts()), (2, (0, 0)));
    }

    #[test]
    fn what_is_not_deleted_comes_again() {
        let now = Instant::now();
        let mut queue = queue_of(&[(Some("a"), "1")]);
        assert_eq!(received(&mut queue, now), [("1", 1, 1)]);
        assert_eq!(received(&mut queue, now + TIME - Duration::from_millis(1)), []);
        assert_eq!(queue.next_visible(), Some(now + TIME));
        assert_eq!(received(&mut queue, now + TIME), [("1", 2, 2)]);
        assert!(!queue.delete(1), "its receipt is an old one");
        assert!(queue.delete(2));
        assert_eq!(queue.counts(), (0, 0));
    }
}
