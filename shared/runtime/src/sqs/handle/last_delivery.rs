//! Notifies the handler of messages at their last delivery.
//!
//! If this process crashes, nobody handles such a message again: the queue moves it. So the handler
//! is notified of it before anything is done with it, and again while it is kept, which may be hours
//! in an outage.

use std::{future::pending, pin::pin, time::Duration};

use tokio::time::{Instant, sleep_until};

use crate::sqs::{
    BatchHandler, Delivery,
    handle::{
        outcome::Messages,
        worker::{NOTIFICATION_LIMIT, Worker},
    },
    queue::Queue,
};

/// When the handler is notified of a sequence's messages next; never, if none is at its last delivery.
pub(super) struct Notifications {
    next: Option<Instant>,
}

impl<H: BatchHandler, Q: Queue> Worker<H, Q> {
    /// Notifies of the messages of `sequence` that are at their last delivery.
    pub(super) async fn begin_notifications(&self, sequence: Messages<'_>) -> Notifications {
        let rules = self.settler.queue().rules;
        let is_any_last = sequence.deliveries.iter().any(|delivery| rules.is_last(delivery));
        self.notify_last(sequence).await;
        Notifications { next: is_any_last.then(|| Instant::now() + self.interval()) }
    }

    /// Handles; meanwhile the handler is notified of the `remaining` messages when it is time.
    pub(super) async fn notifying<T>(
        &self,
        remaining: Messages<'_>,
        notifications: &mut Notifications,
        handling: impl Future<Output = T>,
    ) -> T {
        let mut handling = pin!(handling);
        loop {
            tokio::select! {
                biased;
                outcome = &mut handling => return outcome,
                () = self.notify_next(remaining, notifications) => {}
            }
        }
    }

    async fn notify_next(&self, remaining: Messages<'_>, notifications: &mut Notifications) {
        let Some(next) = notifications.next else { return pending().await };
        sleep_until(next).await;
        notifications.next = Some(Instant::now() + self.interval());
        self.notify_last(remaining).await;
    }

    async fn notify_last(&self, messages: Messages<'_>) {
        let rules = self.settler.queue().rules;
        let last = messages.deliveries.iter().filter(|delivery| rules.is_last(delivery));
        let last: Vec<Delivery> = last.cloned().collect();
        if last.is_empty() {
            return;
        }
        let over = self.interval() + NOTIFICATION_LIMIT + self.visibility;
        self.notify(self.handler.last_delivery(last, over)).await;
    }

    fn interval(&self) -> Duration {
        self.visibility / 2
    }
}
