//! Messages on their way to one call of the handler.

use std::future::pending;

use futures::{StreamExt as _, future::join_all, stream::FuturesUnordered};
use metrics::{Gauge, gauge};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{Record, heartbeat::Heartbeat, pacing::Probe};
use crate::metrics::MESSAGES_IN_FLIGHT;

/// Whole receives: never a part of one, so that a FIFO group's messages, which SQS hands out in one
/// receive or not at all while some are in flight, are never in two batches at a time.
///
/// Holds the messages' slots until it is dropped.
pub(crate) struct Batch {
    /// In the order in which they were received.
    pub(crate) records: Vec<Record>,
    /// When the first of them was received.
    pub(crate) received_at: Instant,
    /// Given if the batch is to find out whether a dependency is back.
    pub(crate) probe: Option<Probe>,
    heartbeats: Vec<Heartbeat>,
    slots: Option<OwnedSemaphorePermit>,
    in_flight: Gauge,
}

impl Batch {
    /// What one receive brought, in the slots that were reserved for it.
    pub(crate) fn new(
        records: Vec<Record>,
        heartbeat: Heartbeat,
        slots: OwnedSemaphorePermit,
        queue: &str,
    ) -> Self {
        let in_flight = gauge!(MESSAGES_IN_FLIGHT, "queue" => queue.to_owned());
        in_flight.increment(count(&records));
        Self {
            records,
            received_at: Instant::now(),
            probe: None,
            heartbeats: vec![heartbeat],
            slots: Some(slots),
            in_flight,
        }
    }

    /// Appends a later receive.
    pub(crate) fn absorb(&mut self, mut later: Self) {
        self.records.append(&mut later.records);
        self.heartbeats.append(&mut later.heartbeats);
        self.probe = self.probe.take().or(later.probe.take());
        match (&mut self.slots, later.slots.take()) {
            (Some(slots), Some(more)) => slots.merge(more),
            (slots, more) => *slots = slots.take().or(more),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Ends when others may soon be handed one of the messages.
    pub(crate) async fn lapsed(&self) {
        let mut lapses: FuturesUnordered<_> =
            self.heartbeats.iter().map(Heartbeat::lapsed).collect();
        if lapses.next().await.is_none() {
            pending::<()>().await;
        }
    }

    pub(crate) fn has_lapsed(&self) -> bool {
        self.heartbeats.iter().any(Heartbeat::has_lapsed)
    }

    /// Ends the heartbeats, so that what is decided about the messages stands.
    pub(crate) async fn stop_heartbeats(&mut self) {
        join_all(self.heartbeats.drain(..).map(Heartbeat::stop)).await;
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
