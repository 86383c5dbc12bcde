//! Latency: from a command on its queue to its commit, its fact and its entry in the history.
//!
//! A separate program sends and takes the times: this one is a debug build.

mod report;
mod tool;

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::part::Run;
use crate::pipeline::Pipeline;
use crate::show;

use tool::Tool;

/// How much is measured.
#[derive(Clone, Copy)]
struct Effort {
    /// Commands that the greatest rate is found with.
    fill: usize,
    turn: Duration,
    rounds: usize,
    /// Commands that are sent one after the other.
    singles: usize,
}

impl Effort {
    const QUICK: Self = Self { fill: 4_000, turn: Duration::from_secs(2), rounds: 1, singles: 40 };
    const FULL: Self =
        Self { fill: 20_000, turn: Duration::from_secs(10), rounds: 3, singles: 1_000 };
}

/// A worker commits so many times the commands that come in an open loop. Half the load would be 2, but to send
/// each command by itself, and to receive its fact, takes as much of the processors again.
const OPEN_LOOP: f64 = 4.0;

/// What was measured: milliseconds, by turn where there are turns.
pub(crate) struct Measured {
    /// Commands a second that a worker commits at most.
    pub(crate) capacity: f64,
    /// From a command's time to its commit.
    pub(crate) commit: Vec<Vec<f64>>,
    /// From a command's time to its receipt by a consumer that only receives.
    pub(crate) receipt: Vec<Vec<f64>>,
    /// From the commit until the fact was received.
    pub(crate) fact: Vec<Vec<f64>>,
    /// Of commands that are sent one after the other.
    pub(crate) singles: Singles,
}

#[derive(Default)]
pub(crate) struct Singles {
    /// From the commit until the fact was on the queue.
    pub(crate) fact: Vec<f64>,
    /// From the commit until the entry was in the history.
    pub(crate) history: Vec<f64>,
    /// A write of such an entry by nobody but the program that measures.
    pub(crate) write: Vec<f64>,
}

/// Measures all of it.
pub(crate) async fn measure(run: &Run) -> Result<String> {
    let effort = run.choose(Effort::FULL, Effort::QUICK);
    let pipeline = Pipeline::start(run).await?;
    let commands = pipeline.queues.create("latency").await?;
    let facts = pipeline.queues.create("latency-facts").await?;
    let alone = pipeline.queues.create("latency-alone").await?;
    let tool = Tool { pipeline: &pipeline };

    let relay = pipeline.relay(&[&facts]).await?;
    tool.fill(&commands, effort.fill).await?;
    let watch = tool.capacity(&facts, effort.fill);
    let (capacity, worker) = tokio::try_join!(watch, pipeline.worker("command-worker", &commands))?;
    let rate = capacity / OPEN_LOOP;
    show(&format!("  {capacity:.0} commands a second at most, {rate:.0} from now on"));

    let mut measured = Measured {
        capacity,
        commit: Vec::new(),
        receipt: Vec::new(),
        fact: Vec::new(),
        singles: Singles::default(),
    };
    for _ in 0..effort.rounds {
        for is_ours in [true, false, false, true] {
            if is_ours {
                let (commit, fact) = tool.pipeline(&commands, &facts, rate, effort.turn).await?;
                measured.commit.push(commit);
                measured.fact.push(fact);
            } else {
                measured.receipt.push(tool.queue(&alone, rate, effort.turn).await?);
            }
        }
    }
    show("  one command after the other");
    let projector = pipeline.projector(&facts).await?;
    measured.singles = tool.history(&commands, &facts, effort.singles).await?;
    drop((projector, worker, relay));
    report::table(&measured, effort).context("nothing was measured")
}
