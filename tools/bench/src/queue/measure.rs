//! Consumers in turn: from the first to the last, and back. Each turn has a queue and a process of its own.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::Instant;

use super::consumer::Consumer;
use super::{Effort, Kind};
use crate::commands::Commands;
use crate::part::Run;
use crate::pipeline::Pipeline;
use crate::show;
use crate::turns::there_and_back;
use crate::writes::fill;

/// Before the first turn, so that PostgreSQL has statistics.
const TASKS: usize = 5_000;
/// Before each turn: connections are made, code is compiled, plans are chosen.
const WARM_UP: usize = 200;
/// Costs are of so many commands.
const UNIT: f64 = 10_000.0;

/// What was measured of a kind, by turn.
pub(super) struct Measured {
    pub(super) kind: Kind,
    pub(super) turns: Vec<Turn>,
}

/// Seconds of processor time for 10,000 commands.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) own: f64,
    pub(super) postgresql: f64,
    pub(super) queue: f64,
    pub(super) per_second: f64,
}

pub(super) async fn all(run: &Run, effort: Effort) -> Result<Vec<Measured>> {
    let pipeline = Pipeline::start(run).await?;
    fill(&run.bin_dir, &pipeline.database.owner_url, TASKS).await?;
    let of = |kind| Measured { kind, turns: Vec::new() };
    let mut measured = Kind::ALL.map(of);
    let mut number = 0;
    for _ in 0..effort.rounds {
        for index in there_and_back(measured.len()) {
            let of = measured.get_mut(index).context("one for each")?;
            number += 1;
            show(&format!("  {}", of.kind.name()));
            let turn = turn(run, &pipeline, of.kind, effort.commands(of.kind), number).await;
            of.turns.push(turn.with_context(|| of.kind.name())?);
        }
    }
    Ok(measured.into())
}

async fn turn(
    run: &Run,
    pipeline: &Pipeline,
    kind: Kind,
    count: usize,
    number: usize,
) -> Result<Turn> {
    let queue = pipeline.queues.create(&format!("queue-{number}")).await?;
    let mut commands = Commands::new();
    commands.publish(pipeline, &queue, WARM_UP).await?;
    let mut consumer = Consumer::start(run, pipeline, kind, &queue).await?;
    consumer.work_off(pipeline, &queue).await?;
    consumer.pause()?;
    commands.publish(pipeline, &queue, count).await?;

    let before = pipeline.spent([consumer.server()])?;
    let begun = Instant::now();
    consumer.work_off(pipeline, &queue).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let spent = pipeline.spent([consumer.server()])?.since(&before);
    if kind != Kind::Empty {
        commands.assert_effect(pipeline).await?;
    }

    #[expect(clippy::cast_precision_loss, reason = "it is a few thousand")]
    let count = count as f64;
    let cost = |time: Duration| time.as_secs_f64() * UNIT / count;
    Ok(Turn {
        own: cost(spent.own),
        postgresql: cost(spent.postgresql),
        queue: cost(spent.queues),
        per_second: count / seconds,
    })
}
