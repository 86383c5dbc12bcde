//! What a process may hold: so many messages, and so many bytes of them.
//!
//! Both are reserved before a receive, for the largest messages that it can bring, and given back as
//! soon as its answer is known. Who has messages reserves nothing more, so there are no
//! deadlocks.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::sqs::{Delivery, queue::delivery::LARGEST_MESSAGE};

/// Shared by all of a consumer's pollers.
#[derive(Clone)]
pub(crate) struct Slots {
    messages: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

/// A part of the slots; given back when it is dropped.
pub(crate) struct Reserved {
    messages: OwnedSemaphorePermit,
    bytes: OwnedSemaphorePermit,
}

impl Slots {
    /// Room for `messages`, and for `bytes` of them: for one of the largest at least.
    pub(crate) fn new(messages: usize, bytes: u32) -> Self {
        let bytes = usize::try_from(bytes.max(LARGEST_MESSAGE)).unwrap_or(Semaphore::MAX_PERMITS);
        let (messages, bytes) = (Semaphore::new(messages), Semaphore::new(bytes));
        Self { messages: Arc::new(messages), bytes: Arc::new(bytes) }
    }

    /// Waits for room for one message, and takes room for as many as there is, at most `most`.
    pub(crate) async fn reserve(&self, most: u16) -> Option<Reserved> {
        let messages = Arc::clone(&self.messages).acquire_owned().await.ok()?;
        let bytes = Arc::clone(&self.bytes).acquire_many_owned(LARGEST_MESSAGE).await.ok()?;
        let mut reserved = Reserved { messages, bytes };
        while reserved.width() < most && self.widen(&mut reserved) {}
        Some(reserved)
    }

    fn widen(&self, reserved: &mut Reserved) -> bool {
        let message = Arc::clone(&self.messages).try_acquire_owned();
        let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(LARGEST_MESSAGE);
        let (Ok(message), Ok(bytes)) = (message, bytes) else { return false };
        reserved.messages.merge(message);
        reserved.bytes.merge(bytes);
        true
    }
}

impl Reserved {
    /// Messages that there is room for.
    pub(crate) fn width(&self) -> u16 {
        u16::try_from(self.messages.num_permits()).unwrap_or(u16::MAX)
    }

    /// Splits off what `deliveries` take.
    pub(crate) fn take(&mut self, deliveries: &[Delivery]) -> Option<Self> {
        let bytes = deliveries.iter().map(Delivery::bytes).sum::<usize>();
        let bytes = self.bytes.split(bytes.min(self.bytes.num_permits()))?;
        Some(Self { messages: self.messages.split(deliveries.len())?, bytes })
    }

    /// Gives back all messages' slots but one: they are handled one after the other.
    pub(crate) fn keep_one_message(&mut self) {
        drop(self.messages.split(self.messages.num_permits().saturating_sub(1)));
    }

    pub(crate) fn merge(&mut self, more: Self) {
        self.messages.merge(more.messages);
        self.bytes.merge(more.bytes);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn no_more_is_reserved_than_there_is_room_for_the_largest_messages() {
        let slots = Slots::new(100, 3 * LARGEST_MESSAGE + 5);
        let mut first = slots.reserve(10).await.unwrap();
        assert_eq!(first.width(), 3);
        assert!(slots.reserve(10).now_or_never().is_none(), "there is no room for another");
        let deliveries = [Delivery::with_body("small")];
        let taken = first.take(&deliveries).unwrap();
        drop(first);
        let second = slots.reserve(10).await.unwrap();
        assert_eq!(second.width(), 3, "a small message takes little");
        drop((taken, second));
        assert_eq!(Slots::new(2, u32::MAX).reserve(10).await.unwrap().width(), 2);
    }

    #[tokio::test]
    async fn one_message_has_room_whatever_was_configured() {
        assert_eq!(Slots::new(1, 0).reserve(10).await.unwrap().width(), 1);
    }
}
