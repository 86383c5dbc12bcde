//! Commands that are sent on a schedule, and when each was committed, was received, or reached the history.
//!
//! It is an open loop: the schedule waits for nobody, and a time counts from when a command was to be sent, and
//! not from when it was. So a system that is slow for a moment is not asked less in that moment.
//!
//! Servers are found by the environment, as the AWS SDK does. Each line of the output is a command, with its
//! times in microseconds. A command that is lost is an error.

mod commands;
mod commits;
mod history;
mod queue;
mod receiver;
mod runs;
mod schedule;

use std::io::{BufWriter, Write as _, stdout};
use std::time::Duration;

use anyhow::{Context as _, Result};
use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use clap::{Args, Parser, Subcommand};

use commits::Database;
use queue::Queue;
use schedule::Schedule;

/// How long any request may take.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    run: Run,
}

#[derive(Subcommand)]
enum Run {
    /// Sends commands as fast as it can
    Fill {
        #[command(flatten)]
        commands: Commands,
    },
    /// Watches a worker beside a relay until so many facts came; prints how many commands a second were committed
    Capacity {
        /// The queue of facts, which nobody else receives from
        #[arg(long, value_name = "URL")]
        facts: String,
        #[arg(long)]
        count: usize,
        #[command(flatten)]
        database: Database,
    },
    /// Sends commands to a worker beside a relay: from a command's time to its commit, and from there to its fact
    Pipeline {
        #[command(flatten)]
        commands: Commands,
        /// Commands a second
        #[arg(long, value_parser = positive)]
        rate: f64,
        /// The queue of facts, which nobody else receives from
        #[arg(long, value_name = "URL")]
        facts: String,
        #[command(flatten)]
        database: Database,
    },
    /// Sends the same to itself: from a command's time to its receipt
    Queue {
        #[command(flatten)]
        commands: Commands,
        /// Commands a second
        #[arg(long, value_parser = positive)]
        rate: f64,
    },
    /// Sends one command after the other: from its commit until its fact was there, and until a projector had
    /// written it to the history; and how long a write of the same takes alone
    History {
        #[command(flatten)]
        commands: Commands,
        /// The queue of facts, which nobody but the projector receives from
        #[arg(long, value_name = "URL")]
        facts: String,
        /// The table of the history
        #[arg(long, default_value = "task-history")]
        table: String,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Args)]
struct Commands {
    /// The queue of commands
    #[arg(long, value_name = "URL")]
    commands: String,
    /// Commands whose times are printed
    #[arg(long)]
    count: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
    let config = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts);
    let config = config.load().await;
    let queue = |url: &str| Queue::new(&config, url);
    match Arguments::parse().run {
        Run::Fill { commands } => runs::fill(&queue(&commands.commands), commands.count).await,
        Run::Capacity { facts, count, database } => {
            print([[runs::capacity(&queue(&facts), count, &database).await?]])
        }
        Run::Pipeline { commands: Commands { commands, count }, rate, facts, database } => {
            let (commands, facts) = (queue(&commands), queue(&facts));
            let schedule = Schedule::new(rate, count);
            print(runs::pipeline(&commands, &facts, &schedule, &database).await?)
        }
        Run::Queue { commands: Commands { commands, count }, rate } => {
            print(runs::queue(&queue(&commands), &Schedule::new(rate, count)).await?)
        }
        Run::History { commands: Commands { commands, count }, facts, table, database } => {
            let table = history::Table::new(&config, table);
            let queues = (&queue(&commands), &queue(&facts));
            print(history::run(queues, &table, count, &database).await?)
        }
    }
}

/// A line for each, with its numbers.
fn print<const N: usize>(lines: impl IntoIterator<Item = [f64; N]>) -> Result<()> {
    let mut output = BufWriter::new(stdout().lock());
    for line in lines {
        let line = line.map(|number| format!("{number:.0}")).join(" ");
        writeln!(output, "{line}")?;
    }
    output.flush().context("writing")
}

fn positive(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or("expected a number above 0")
}
