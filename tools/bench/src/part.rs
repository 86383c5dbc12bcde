//! The parts of the report. Each is measured by itself.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::turns::Effort;
use crate::{growth, lag, latency, machine, queue, reads, replay, scaling, show, start, writes};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// GET over HTTP
    Reads,
    /// Batches of commands into PostgreSQL
    Writes,
    /// Commands from a queue into PostgreSQL
    Queue,
    /// Several workers on one queue
    Scaling,
    /// From a command on its queue to its commit, its fact and its entry in the history
    Latency,
    /// How far the relay falls behind; an hour in the full form
    Lag,
    /// Dead letters back to the queue that they were in
    Replay,
    /// From exec to the first sign of work; memory and sizes
    Start,
    /// Writes and lists with more and more tasks, and what commands leave in the database
    Growth,
}

/// What each part is measured with.
pub(crate) struct Run {
    /// Where the release build is; absolute.
    pub(crate) bin_dir: PathBuf,
    /// Where the services in JavaScript and in Python are; absolute.
    pub(crate) services: PathBuf,
    /// For data that must be on a disk; absolute.
    pub(crate) folder: PathBuf,
    /// As it takes to be sure of the figures, and not as fast as it can be.
    pub(crate) full: bool,
}

impl Run {
    /// Of both, the one for this run.
    pub(crate) fn choose<T>(&self, full: T, quick: T) -> T {
        if self.full { full } else { quick }
    }
}

impl Part {
    /// In the order of the report.
    pub(crate) const ALL: [Self; 9] = [
        Self::Reads,
        Self::Writes,
        Self::Queue,
        Self::Scaling,
        Self::Latency,
        Self::Lag,
        Self::Replay,
        Self::Start,
        Self::Growth,
    ];

    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Measures it. Returns what the report has of it, as Markdown.
    pub(crate) async fn measure(self, run: &Run) -> Result<String> {
        show(&format!("measuring {}", self.name()));
        let text = match self {
            Self::Reads => reads::measure(run, run.choose(Effort::FULL, Effort::QUICK)).await?,
            Self::Writes => {
                writes::measure(run, run.choose(Effort::FULL_WRITES, Effort::QUICK_WRITES)).await?
            }
            Self::Queue => queue::measure(run).await?,
            Self::Scaling => scaling::measure(run).await?,
            Self::Latency => latency::measure(run).await?,
            Self::Lag => lag::measure(run).await?,
            Self::Replay => replay::measure(run).await?,
            Self::Start => start::measure(run).await?,
            Self::Growth => growth::measure(run).await?,
        };
        let (title, text) = text.split_once('\n').unwrap_or((&text, ""));
        let made_by = format!("Made by `{}` on {}.", self.command(run.full), machine::describe()?);
        Ok(format!("{title}\n\n{made_by}\n{text}"))
    }

    fn command(self, full: bool) -> String {
        let only = format!("--only={}", self.name());
        if full {
            format!("make bench ARGS=\"--full {only}\"")
        } else {
            format!("make bench ARGS={only}")
        }
    }
}
