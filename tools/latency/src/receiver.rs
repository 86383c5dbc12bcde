//! A consumer that does nothing but receive.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::commands::Times;
use crate::queue::Queue;

/// Requests at a time: as many as our consumers have.
const RECEIVERS: usize = 2;

/// Receives until so many messages came; returns when each did, of which task. An error if they do not come in time.
pub(crate) async fn receive(queue: &Queue, count: usize, until: Instant) -> Result<Times> {
    let enough = Arc::<AtomicBool>::default();
    let (sender, mut channel) = unbounded_channel();
    let mut receiving = JoinSet::new();
    for _ in 0..RECEIVERS {
        let (queue, enough, sender) = (queue.clone(), Arc::clone(&enough), sender.clone());
        receiving.spawn(async move {
            while !enough.load(Ordering::Relaxed) {
                sender.send(queue.receive().await?)?;
            }
            anyhow::Ok(())
        });
    }
    drop(sender);
    let mut received = Times::new();
    while received.len() < count {
        match timeout_at(until, channel.recv()).await {
            Ok(Some(times)) => {
                for (task, time) in times {
                    // If it comes twice, the first time counts.
                    received.entry(task).or_insert(time);
                }
            }
            Ok(None) => break,
            Err(_) => bail!("of {count} messages {} came in time", received.len()),
        }
    }
    enough.store(true, Ordering::Relaxed);
    while let Some(done) = receiving.join_next().await {
        done??;
    }
    Ok(received)
}
