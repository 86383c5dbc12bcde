//! Writers that `make bench` measures: batches of commands, by `store::apply` or by one statement.
//!
//! A writer prepares what its work needs, and then works in turns: for each line of its input, which is a
//! number of milliseconds, it writes for so long and prints how many commands that were and how many
//! seconds they took. Its connections stay open between the turns.

mod commands;
mod ours;
mod statement;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand};
use store::Incoming;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, stdin, stdout};
use tokio::task::JoinSet;

use commands::{Batches, Work};
use ours::Ours;
use statement::{Form, Statement};

/// As of what ships.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    /// What the commands do
    #[arg(long, value_enum, default_value_t = Work::Creates)]
    work: Work,
    /// Commands of a batch
    #[arg(long, default_value_t = 10)]
    batch: usize,
    /// Connections, each with one batch at a time
    #[arg(long, default_value_t = 1)]
    connections: u32,
    #[command(subcommand)]
    by: By,
}

#[derive(Subcommand)]
enum By {
    /// By `store::apply`
    Ours(ours::Arguments),
    /// By one statement into the same tables, as the owner, whom no row-level security filters
    Statement(statement::Arguments),
    /// By one statement into tables of the least that could keep the same: two secondary indexes, a
    /// number instead of a text as the key of the inbox
    Bare(statement::Arguments),
    /// Creates so many tasks in both kinds of tables, has PostgreSQL analyze them, and ends
    Fill(statement::Fill),
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { work, batch, connections, by } = Arguments::parse();
    let mut writers = Vec::new();
    match by {
        By::Ours(arguments) => {
            let ours = Ours::connect(arguments, connections).await?;
            writers.extend((0..connections).map(|_| Writer::Ours(ours.clone())));
        }
        By::Statement(statement::Arguments { url }) => {
            for _ in 0..connections {
                writers.push(Writer::Statement(Statement::connect(&url, Form::Same).await?));
            }
        }
        By::Bare(statement::Arguments { url }) => {
            for _ in 0..connections {
                writers.push(Writer::Statement(Statement::connect(&url, Form::Bare).await?));
            }
        }
        By::Fill(fill) => return statement::fill(fill).await,
    }
    let batches = Batches::of(work, batch, writers.len());
    let mut lanes: Vec<_> = writers
        .into_iter()
        .zip(batches)
        .map(|(writer, batches)| Lane { writer, batches })
        .collect();
    for lane in &mut lanes {
        lane.prepare().await?;
    }
    turns(lanes).await
}

/// Until the input ends.
async fn turns(mut lanes: Vec<Lane>) -> Result<()> {
    let (mut input, mut output) = (BufReader::new(stdin()).lines(), stdout());
    output.write_all(b"ready\n").await?;
    output.flush().await?;
    while let Some(line) = input.next_line().await? {
        let time = Duration::from_millis(line.trim().parse().context("a number of milliseconds")?);
        let begun = Instant::now();
        let mut running = JoinSet::new();
        for lane in lanes.drain(..) {
            running.spawn(lane.run(begun, time));
        }
        let mut commands = 0;
        while let Some(done) = running.join_next().await {
            let (lane, written) = done??;
            commands += written;
            lanes.push(lane);
        }
        let line = format!("{commands} {}\n", begun.elapsed().as_secs_f64());
        output.write_all(line.as_bytes()).await?;
        output.flush().await?;
    }
    Ok(())
}

/// A connection and its batches.
struct Lane {
    writer: Writer,
    batches: Batches,
}

enum Writer {
    Ours(Ours),
    Statement(Statement),
}

impl Lane {
    /// Writes what the work is done on, and some batches: the statements are prepared then.
    async fn prepare(&mut self) -> Result<()> {
        for batch in self.batches.before() {
            self.writer.write(batch, false).await?;
        }
        for _ in 0..8 {
            self.write().await?;
        }
        Ok(())
    }

    /// Writes batch after batch for so long. Returns itself and how many commands that were.
    async fn run(mut self, begun: Instant, time: Duration) -> Result<(Self, usize)> {
        let mut commands = 0;
        while begun.elapsed() < time {
            commands += self.write().await?;
        }
        Ok((self, commands))
    }

    async fn write(&mut self) -> Result<usize> {
        let batch = self.batches.next();
        let size = batch.len();
        self.writer.write(batch, self.batches.are_repeats()).await?;
        Ok(size)
    }
}

impl Writer {
    async fn write(&mut self, batch: Vec<Incoming>, are_repeats: bool) -> Result<()> {
        match self {
            Self::Ours(ours) => ours.write(batch, are_repeats).await,
            Self::Statement(statement) => {
                ensure!(!are_repeats, "a statement that finds repeats would be ours");
                statement.write(&batch).await
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "it is no part of what ships")]
fn now() -> DateTime<Utc> {
    Utc::now()
}
