//! What a queue's configuration means for its messages.

use crate::sqs::Delivery;

/// The rules of a queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Deliveries after which the queue itself moves a message to its dead-letter queue.
    pub(crate) max_receive_count: u32,
    /// Whether a group's messages have an order; a standard queue's groups have none.
    pub(crate) fifo: bool,
}

impl Rules {
    pub(crate) fn is_last(self, delivery: &Delivery) -> bool {
        delivery.attempt() >= self.max_receive_count
    }
}
