//! Messages on their way to the handler.

use metrics::{Gauge, gauge};

use crate::{
    metrics::MESSAGES_IN_FLIGHT,
    sqs::{
        Delivery,
        queue::attributes::QueueAttributes,
        receive::{circuit_breaker::Receiving, heartbeat::VisibilityLease, slots::Reserved},
    },
};

/// How a message is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handling {
    /// In one call, with all other such messages.
    Together,
    /// After the message before it in its sequence. Sequences are numbered in the order of their
    /// beginnings.
    InSequence(usize),
}

/// Complete receives: never a part of one, so that a FIFO group's messages, which SQS hands out in one
/// receive or not at all while some are in flight, are never in two batches at a time. Later it may
/// be split, but never between messages of a group.
///
/// Has the messages' slots until it is dropped.
pub(crate) struct Batch {
    /// In the order in which they were received.
    pub(crate) deliveries: Vec<Delivery>,
    /// One for each delivery, or none: an invocation's messages have no heartbeat.
    pub(crate) leases: Vec<VisibilityLease>,
    /// Dropped when the batch waits for its trial, so that no other batch is received before.
    pub(crate) receiving: Option<Receiving>,
    slots: Option<Reserved>,
    in_flight: Gauge,
}

impl Batch {
    /// What one receive brought, in the slots that were reserved for it.
    pub(crate) fn new(
        deliveries: Vec<Delivery>,
        leases: Vec<VisibilityLease>,
        slots: Option<Reserved>,
        queue: &QueueAttributes,
    ) -> Self {
        let in_flight = gauge!(MESSAGES_IN_FLIGHT, "queue" => queue.name().to_owned());
        in_flight.increment(count(&deliveries));
        Self { deliveries, leases, receiving: None, slots, in_flight }
    }

    /// Appends a later receive.
    pub(crate) fn absorb(&mut self, mut later: Self) {
        self.deliveries.append(&mut later.deliveries);
        self.leases.append(&mut later.leases);
        self.receiving = self.receiving.take().or(later.receiving.take());
        match (&mut self.slots, later.slots.take()) {
            (Some(slots), Some(more)) => slots.merge(more),
            (slots, more) => *slots = slots.take().or(more),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.deliveries.len()
    }

    /// Splits by how its messages are handled: what is handled together, and the sequences.
    pub(crate) fn split(mut self, handlings: &[Handling]) -> (Option<Self>, Vec<Self>) {
        let (mut together, mut sequences) = (None, Vec::<Self>::new());
        let mut leases = std::mem::take(&mut self.leases).into_iter();
        for (delivery, handling) in std::mem::take(&mut self.deliveries).into_iter().zip(handlings)
        {
            let lease = leases.next();
            match handling {
                Handling::Together => {
                    together.get_or_insert_with(|| self.part()).push(delivery, lease);
                }
                Handling::InSequence(number) => match sequences.get_mut(*number) {
                    Some(sequence) => sequence.push(delivery, lease),
                    None => sequences.push(self.part().with(delivery, lease)),
                },
            }
        }
        for part in together.iter_mut().chain(&mut sequences) {
            part.slots = self.slots.as_mut().and_then(|slots| slots.take(&part.deliveries));
            part.receiving = self.receiving.take();
        }
        (together, sequences)
    }

    /// It is a sequence: one slot is enough.
    pub(crate) fn keep_one_slot(&mut self) {
        self.slots.iter_mut().for_each(Reserved::keep_one_message);
    }

    fn part(&self) -> Self {
        let in_flight = self.in_flight.clone();
        Self { deliveries: Vec::new(), leases: Vec::new(), receiving: None, slots: None, in_flight }
    }

    fn push(&mut self, delivery: Delivery, lease: Option<VisibilityLease>) {
        self.deliveries.push(delivery);
        self.leases.extend(lease);
    }

    fn with(mut self, delivery: Delivery, lease: Option<VisibilityLease>) -> Self {
        self.push(delivery, lease);
        self
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.in_flight.decrement(count(&self.deliveries));
    }
}

fn count(deliveries: &[Delivery]) -> f64 {
    u32::try_from(deliveries.len()).map_or(f64::MAX, f64::from)
}
