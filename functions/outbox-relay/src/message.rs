//! A fact as it is sent.

use store::PendingFact;

/// A fact with its event, which is made once for all queues.
#[derive(Debug)]
pub(crate) struct Message {
    /// The fact. Its identifier is the event's, and the message's deduplication id; a FIFO queue groups
    /// by its task, whose facts stay in order.
    pub(crate) fact: PendingFact,
    /// The event.
    pub(crate) body: String,
}

#[cfg(test)]
impl Message {
    /// A fact of `acme`, with a body of any kind.
    pub(crate) fn of_test(seq: i64, task: u128, body: &str) -> Self {
        let (id, task) = (uuid::Uuid::new_v4(), uuid::Uuid::from_u128(task));
        let fact = PendingFact {
            seq,
            id,
            task: store::TaskKey { tenant: "acme".to_owned(), task },
            record: Err(anyhow::anyhow!("the body is given")),
            published_to: Vec::new(),
            is_retry: false,
        };
        Self { fact, body: body.to_owned() }
    }
}
