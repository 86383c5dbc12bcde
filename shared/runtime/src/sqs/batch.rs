//! Messages on their way to the handler.

use metrics::{Gauge, gauge};

use super::{Record, circuit_breaker::Receiving, heartbeat::Lease, lines::Place, slots::Reserved};
use crate::metrics::MESSAGES_IN_FLIGHT;

/// Whole receives: never a part of one, so that a FIFO group's messages, which SQS hands out in one
/// receive or not at all while some are in flight, are never in two batches at a time. Later it may
/// be split, but never between messages of a group.
///
/// Has the messages' slots until it is dropped.
pub(crate) struct Batch {
    /// In the order in which they were received.
    pub(crate) records: Vec<Record>,
    /// One for each record, or none: an invocation's messages have no heartbeat.
    pub(crate) leases: Vec<Lease>,
    /// Dropped when the batch waits for its trial, so that no other batch is received before.
    pub(crate) receiving: Option<Receiving>,
    slots: Option<Reserved>,
    in_flight: Gauge,
}

impl Batch {
    /// What one receive brought, in the slots that were reserved for it.
    pub(crate) fn new(
        records: Vec<Record>,
        leases: Vec<Lease>,
        slots: Option<Reserved>,
        queue: &str,
    ) -> Self {
        let in_flight = gauge!(MESSAGES_IN_FLIGHT, "queue" => queue.to_owned());
        in_flight.increment(count(&records));
        Self { records, leases, receiving: None, slots, in_flight }
    }

    /// Appends a later receive.
    pub(crate) fn absorb(&mut self, mut later: Self) {
        self.records.append(&mut later.records);
        self.leases.append(&mut later.leases);
        self.receiving = self.receiving.take().or(later.receiving.take());
        match (&mut self.slots, later.slots.take()) {
            (Some(slots), Some(more)) => slots.merge(more),
            (slots, more) => *slots = slots.take().or(more),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Splits by the places of its messages: what is handled together, and the lines.
    pub(crate) fn split(mut self, places: &[Place]) -> (Option<Self>, Vec<Self>) {
        let (mut together, mut lines) = (None, Vec::<Self>::new());
        let mut leases = std::mem::take(&mut self.leases).into_iter();
        for (record, place) in std::mem::take(&mut self.records).into_iter().zip(places) {
            let lease = leases.next();
            match place {
                Place::Together => {
                    together.get_or_insert_with(|| self.part()).push(record, lease);
                }
                Place::Line(number) => match lines.get_mut(*number) {
                    Some(line) => line.push(record, lease),
                    None => lines.push(self.part().with(record, lease)),
                },
            }
        }
        for part in together.iter_mut().chain(&mut lines) {
            part.slots = self.slots.as_mut().and_then(|slots| slots.take(&part.records));
            part.receiving = self.receiving.take();
        }
        (together, lines)
    }

    /// Its messages are handled one after the other: one slot is enough.
    pub(crate) fn keep_one_slot(&mut self) {
        self.slots.iter_mut().for_each(Reserved::keep_one_message);
    }

    fn part(&self) -> Self {
        let in_flight = self.in_flight.clone();
        Self { records: Vec::new(), leases: Vec::new(), receiving: None, slots: None, in_flight }
    }

    fn push(&mut self, record: Record, lease: Option<Lease>) {
        self.records.push(record);
        self.leases.extend(lease);
    }

    fn with(mut self, record: Record, lease: Option<Lease>) -> Self {
        self.push(record, lease);
        self
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.in_flight.decrement(count(&self.records));
    }
}

fn count(records: &[Record]) -> f64 {
    u32::try_from(records.len()).map_or(f64::MAX, f64::from)
}
