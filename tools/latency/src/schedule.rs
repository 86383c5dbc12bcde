//! When what is sent: at a rate, whatever becomes of it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use crate::commands::{Command, Commands, Times};
use crate::queue::{MOST, Queue};

/// Between two looks at what is due.
const TICK: Duration = Duration::from_millis(1);
/// Sent before, and not reported: connections are made, and caches filled.
const WARM_UP_SECONDS: f64 = 1.0;
/// Requests that send at a time, at most. Whatever waits for one counts as late.
const SENDERS: usize = 32;

pub(crate) struct Schedule {
    rate: f64,
    /// Not reported.
    warm_up: usize,
    count: usize,
}

/// Sends batches side by side.
pub(crate) struct Senders {
    queue: Queue,
    permits: Arc<Semaphore>,
    sending: JoinSet<Result<()>>,
}

impl Schedule {
    /// So many commands a second, until so many can be reported.
    pub(crate) fn new(rate: f64, count: usize) -> Self {
        Self { rate, warm_up: due(rate, WARM_UP_SECONDS), count }
    }

    /// All commands, with those that are not reported.
    pub(crate) fn all(&self) -> usize {
        self.warm_up + self.count
    }

    /// How long it takes.
    pub(crate) fn time(&self) -> Duration {
        due_time(self.rate, self.all())
    }

    /// Sends; returns when each command that is reported was to be sent.
    pub(crate) async fn send(&self, commands: &mut Commands, queue: &Queue) -> Result<Times> {
        let (mut senders, mut sent, mut intended) = (Senders::new(queue), 0, Times::new());
        let (begun, mut ticks) = (Instant::now(), interval(TICK));
        while sent < self.all() {
            ticks.tick().await;
            let due = due(self.rate, begun.elapsed().as_secs_f64()).min(self.all());
            while sent < due {
                let mut batch = Vec::new();
                while sent < due && batch.len() < MOST {
                    let command = commands.next();
                    if sent >= self.warm_up {
                        intended.insert(command.task, begun + due_time(self.rate, sent));
                    }
                    batch.push(command);
                    sent += 1;
                }
                senders.send(batch);
            }
        }
        senders.end().await?;
        Ok(intended)
    }
}

/// How many commands were due after so many seconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole ones are due")]
fn due(rate: f64, seconds: f64) -> usize {
    (seconds * rate) as usize
}

/// When the command with that number is due.
#[expect(clippy::cast_precision_loss, reason = "there are fewer than that")]
fn due_time(rate: f64, number: usize) -> Duration {
    Duration::from_secs_f64(number as f64 / rate)
}

impl Senders {
    pub(crate) fn new(queue: &Queue) -> Self {
        let permits = Arc::new(Semaphore::new(SENDERS));
        Self { queue: queue.clone(), permits, sending: JoinSet::new() }
    }

    /// Does not wait for it.
    pub(crate) fn send(&mut self, batch: Vec<Command>) {
        let (queue, permits) = (self.queue.clone(), Arc::clone(&self.permits));
        self.sending.spawn(async move {
            let _permit = permits.acquire().await?;
            queue.send(batch).await
        });
    }

    /// Waits until all is sent.
    pub(crate) async fn end(mut self) -> Result<()> {
        while let Some(sent) = self.sending.join_next().await {
            sent??;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_due_from_its_time_on() {
        for number in [0, 1, 7, 999] {
            let time = due_time(300.0, number).as_secs_f64();
            assert_eq!(due(300.0, time + 1e-6), number);
            assert_eq!(due(300.0, time + 0.003), number);
        }
        assert_eq!(Schedule::new(200.0, 300).time(), Duration::from_millis(2_500));
    }
}
