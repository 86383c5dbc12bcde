//! What is measured of many commands at once.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::time::Instant;

use crate::commands::{Commands, Times, micros};
use crate::commits::{Database, Watch};
use crate::queue::{MOST, Queue};
use crate::receiver::receive;
use crate::schedule::{Schedule, Senders};

/// How long all may take to be handled, beyond the schedule.
const PATIENCE: Duration = Duration::from_mins(2);

/// Sends so many commands.
pub(crate) async fn fill(queue: &Queue, count: usize) -> Result<()> {
    let (mut commands, mut senders) = (Commands::new(), Senders::new(queue));
    for first in (0..count).step_by(MOST) {
        senders.send((first..count.min(first + MOST)).map(|_| commands.next()).collect());
    }
    senders.end().await
}

/// Commits a second, from the first that it sees until so many facts came.
pub(crate) async fn capacity(facts: &Queue, count: usize, database: &Database) -> Result<f64> {
    let watch = Watch::start(database).await?;
    receive(facts, count, Instant::now() + PATIENCE).await?;
    let times: Vec<_> = watch.end(None).await?.into_values().collect();
    let bounds = times.iter().min().zip(times.iter().max());
    let (first, last) = bounds.context("nothing was committed")?;
    let after: f64 = times.iter().map(|time| if time > first { 1.0 } else { 0.0 }).sum();
    ensure!(after > 0.0, "all was committed at once, or before the watch began");
    Ok(after / (*last - *first).as_secs_f64())
}

/// From a command's time to its commit, and from there to its fact.
pub(crate) async fn pipeline(
    queue: &Queue,
    facts: &Queue,
    schedule: &Schedule,
    database: &Database,
) -> Result<Vec<[f64; 2]>> {
    let watch = Watch::start(database).await?;
    let mut commands = Commands::new();
    let (intended, received) = run(schedule, &mut commands, queue, facts).await?;
    let committed = watch.end(Some(&commands.source)).await?;
    let of_one = |(task, intended)| {
        let committed = *committed.get(&task).context("a command was not committed")?;
        let received = *received.get(&task).context("a fact was not received")?;
        Ok([micros(intended, committed), micros(committed, received)])
    };
    intended.into_iter().map(of_one).collect()
}

/// From a command's time to its receipt.
pub(crate) async fn queue(queue: &Queue, schedule: &Schedule) -> Result<Vec<[f64; 1]>> {
    let (intended, received) = run(schedule, &mut Commands::new(), queue, queue).await?;
    let of_one = |(task, intended)| {
        let received = *received.get(&task).context("a command was not received")?;
        Ok([micros(intended, received)])
    };
    intended.into_iter().map(of_one).collect()
}

/// Sends to a queue, and receives from it or another one until as much came as was sent. Returns when each command
/// was to be sent, and when each message came.
async fn run(
    schedule: &Schedule,
    commands: &mut Commands,
    queue: &Queue,
    from: &Queue,
) -> Result<(Times, Times)> {
    let until = Instant::now() + schedule.time() + PATIENCE;
    tokio::try_join!(schedule.send(commands, queue), receive(from, schedule.all(), until))
}
