//! Several workers on one queue and one database: what they gain, and what holds them back.

use std::fmt::Write as _;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;
use tokio::time::Instant;

use crate::commands::Commands;
use crate::figures::Spread;
use crate::part::Run;
use crate::pipeline::{Pipeline, Spent};
use crate::servers::Server;
use crate::show;
use crate::turns::{ratio, there_and_back};
use crate::writes::fill;

const WORKERS: [usize; 3] = [1, 2, 4];
/// Before the first turn, so that PostgreSQL has statistics.
const TASKS: usize = 5_000;
/// Before each turn, for each worker.
const WARM_UP: usize = 200;
const PATIENCE: Duration = Duration::from_mins(3);

#[derive(Clone, Copy)]
struct Effort {
    commands: usize,
    rounds: u32,
}

const QUICK: Effort = Effort { commands: 3_000, rounds: 1 };
const FULL: Effort = Effort { commands: 20_000, rounds: 5 };

/// What was measured of so many workers, by turn.
struct Measured {
    workers: usize,
    /// Commands a second.
    rates: Vec<f64>,
    /// Processors in use: the workers', PostgreSQL's, the queue server's.
    busy: Vec<[f64; 3]>,
}

pub(crate) async fn measure(run: &Run) -> Result<String> {
    let effort = run.choose(FULL, QUICK);
    let pipeline = Pipeline::start(run).await?;
    fill(&run.bin_dir, &pipeline.database.owner_url, TASKS).await?;
    let mut measured =
        WORKERS.map(|workers| Measured { workers, rates: Vec::new(), busy: Vec::new() });
    for round in 0..effort.rounds {
        for (turn, index) in there_and_back(measured.len()).enumerate() {
            let of = measured.get_mut(index).context("one for each")?;
            show(&format!("  {} workers", of.workers));
            of.turn(&pipeline, &format!("scaling-{round}-{turn}"), effort.commands).await?;
        }
    }
    text(&measured, effort, available_parallelism()?.get())
}

impl Measured {
    async fn turn(&mut self, pipeline: &Pipeline, queue: &str, count: usize) -> Result<()> {
        let queue = pipeline.queues.create(queue).await?;
        let mut commands = Commands::new();
        commands.publish(pipeline, &queue, WARM_UP * self.workers).await?;
        let mut workers = Vec::new();
        for number in 1..=self.workers {
            workers.push(pipeline.worker(&format!("command-worker-{number}"), &queue).await?);
        }
        pipeline.queues.emptied(&queue, &mut workers, PATIENCE).await?;
        signal(&workers, Signal::SIGSTOP)?;
        commands.publish(pipeline, &queue, count).await?;

        let before = pipeline.spent(&workers)?;
        let begun = Instant::now();
        signal(&workers, Signal::SIGCONT)?;
        pipeline.queues.emptied(&queue, &mut workers, PATIENCE).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let Spent { own, postgresql, queues } = pipeline.spent(&workers)?.since(&before);
        commands.assert_effect(pipeline).await?;

        #[expect(clippy::cast_precision_loss, reason = "it is a few thousand")]
        self.rates.push(count as f64 / seconds);
        self.busy.push([own, postgresql, queues].map(|time| time.as_secs_f64() / seconds));
        Ok(())
    }

    fn busy(&self, place: usize) -> Result<f64> {
        let values = self.busy.iter().filter_map(|of| of.get(place).copied()).collect();
        Ok(Spread::of(values).context("no turn was measured")?.median)
    }
}

fn signal(workers: &[Server], signal: Signal) -> Result<()> {
    workers.iter().try_for_each(|worker| worker.signal(signal))
}

fn text(measured: &[Measured], effort: Effort, processors: usize) -> Result<String> {
    let mut text = format!(
        "## Scaling out\n\n\
         Workers of ours, each a process as it is deployed, work one queue off, on one database with durable commits. Commands\n\
         create tasks, each in a FIFO group of its own, and each has its effect exactly once. Turns of {} commands, rounds:\n\
         {}. This machine has {processors} processors for the workers, PostgreSQL and the queue server: what they use\n\
         together cannot be more, however many workers there are. Processors in use are the median of the turns; what is\n\
         left of {processors} waits for the disk, or is other work's.\n\n\
         | workers | commands a second | beside one worker | processors: workers | PostgreSQL | queue server | all |\n\
         |---|---|---|---|---|---|---|\n",
        effort.commands, effort.rounds,
    );
    let one = measured.first().context("one worker was measured")?;
    for of in measured {
        let rate = Spread::of(of.rates.clone()).context("no turn was measured")?;
        let [own, postgresql, queue] = [of.busy(0)?, of.busy(1)?, of.busy(2)?];
        writeln!(
            text,
            "| {} | {:.0} | {} | {own:.2} | {postgresql:.2} | {queue:.2} | {:.2} of {processors} |",
            of.workers,
            rate.median,
            ratio(&of.rates, &one.rates)?,
            own + postgresql + queue,
        )?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_compared_with_one() {
        let of = |workers, rate| {
            let busy = vec![[0.5, 1.0, 0.25]];
            Measured { workers, rates: vec![rate], busy }
        };
        let text = text(&[of(1, 1_000.0), of(2, 1_500.0)], QUICK, 2).unwrap();
        let last = "| 2 | 1500 | **1.50** (1.50–1.50) | 0.50 | 1.00 | 0.25 | 1.75 of 2 |\n";
        assert!(text.ends_with(last), "{text}");
    }
}
