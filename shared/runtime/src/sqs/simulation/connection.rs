//! One process's connection to the queue, which ends with it.

use std::future::pending;

use tokio_util::sync::CancellationToken;

use super::queue::SimulatedQueue;
use crate::sqs::{
    Delivery,
    queue::{
        Answer, Queue, attributes::QueueAttributes, claim_check::ClaimChecks,
        dead_letter::DeadLetter,
    },
};

/// Once `crashed`, no call is made or answered any more; one under way may have taken effect.
pub(super) struct Connection {
    pub(super) queue: SimulatedQueue,
    pub(super) crashed: CancellationToken,
}

impl Connection {
    async fn alive<T>(&self, call: impl Future<Output = T>) -> T {
        match self.crashed.run_until_cancelled(call).await {
            Some(answer) => answer,
            None => pending().await,
        }
    }
}

impl Queue for Connection {
    async fn receive(&self, most: u16) -> anyhow::Result<Vec<Delivery>> {
        self.alive(self.queue.receive(most)).await
    }

    async fn delete(&self, handles: &[String]) -> Answer {
        self.alive(self.queue.delete(handles)).await
    }

    async fn change_visibility(&self, waits: &[(String, i32)]) -> Answer {
        self.alive(self.queue.change_visibility(waits)).await
    }

    async fn extend(&self, handles: &[String], seconds: i32) -> Answer {
        self.alive(self.queue.extend(handles, seconds)).await
    }

    async fn send_dead_letters(&self, dead_letters: &[DeadLetter]) -> Answer {
        self.alive(self.queue.send_dead_letters(dead_letters)).await
    }

    fn attributes(&self) -> &QueueAttributes {
        self.queue.attributes()
    }

    fn claim_checks(&self) -> &ClaimChecks {
        self.queue.claim_checks()
    }
}
