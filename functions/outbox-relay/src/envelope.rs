//! A fact as it is sent.

use anyhow::Context as _;
use domain::TaskId;
use events::{FactRecord, fact_event};
use store::UntoldFact;

/// The event that tells of a fact, made once for all queues.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// The fact's place: the event's id, and the message's deduplication id.
    pub(crate) seq: i64,
    /// The task, by which a FIFO queue groups.
    pub(crate) task: TaskId,
    /// The event.
    pub(crate) body: String,
}

impl Envelope {
    pub(crate) fn new(fact: &UntoldFact) -> anyhow::Result<Self> {
        let record = FactRecord {
            sequence: fact.seq,
            tenant: fact.tenant.clone(),
            task: fact.task,
            kind: &fact.kind,
            data: &fact.data,
            traceparent: fact.traceparent.as_deref(),
            occurred_at: fact.occurred_at,
        };
        let body = fact_event(&record).context("cannot write an event")?;
        Ok(Self { seq: fact.seq, task: fact.task, body })
    }
}
