//! Growth: how much longer writes and lists take when there are more tasks; and what commands leave
//! behind.
//!
//! All sizes are measured in turn, each on a database of its own.

mod commands;
mod fill;
mod report;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use local_stack::TestDatabase;
use serde_json::Value;
use tokio::time::timeout;

use crate::part::Run;
use crate::postgresql::PostgreSql;
use crate::published::{BATCH, CONNECTIONS};
use crate::servers::Server;
use crate::show;
use crate::system::System;
use crate::turns::{Effort, Series, there_and_back};
use crate::writes::CREATES;
use crate::writes::writer::Writer;
use crate::wrk::{self, Target};

const FULL_SIZES: [i64; 3] = [100_000, 1_000_000, 10_000_000];
const QUICK_SIZES: [i64; 2] = [10_000, 100_000];
/// To fill a database.
const PATIENCE: Duration = Duration::from_hours(1);
/// Tasks of a page.
const PAGE: usize = 50;
/// Of lists: fewer than the reader has to PostgreSQL, so that none waits for one.
const CLIENTS: u32 = 8;

/// What is done at each size.
#[derive(Clone, Copy)]
enum Work {
    /// A list with this query.
    List(&'static str, &'static str),
    Creates,
}

/// Lists are first: creates add tasks.
const WORKS: [Work; 5] = [
    Work::List("the first page of 50", "limit=50"),
    Work::List("of these, by status and priority", "limit=50&status=completed&priority=high"),
    Work::List("of these, a word of every fourth title", "limit=50&title=quarterly"),
    Work::List("of these, a word of sixty titles", "limit=50&title=needle"),
    Work::Creates,
];

/// A database with so many tasks, and what reads and writes it.
struct Grown {
    tasks: i64,
    url: String,
    writer: Writer,
    _reader: Server,
    _database: TestDatabase,
}

/// A work, and what was measured of it at each size: requests or commands a second, and microseconds of
/// PostgreSQL's processor time for each.
struct Row {
    work: Work,
    sizes: Vec<(i64, Series)>,
}

/// Measures all of it.
pub(crate) async fn measure(run: &Run) -> Result<String> {
    let system = System::start(&run.bin_dir, &run.services).await?;
    let postgresql = PostgreSql::start(&run.folder).await?;
    let mut grown = Vec::new();
    for tasks in run.choose(&FULL_SIZES[..], &QUICK_SIZES[..]) {
        show(&format!("  filling {tasks} tasks"));
        grown.push(Grown::with(*tasks, run, &system, &postgresql).await?);
    }
    let mut rows = Vec::new();
    for work in WORKS {
        show(&format!("  {}", work.name()));
        rows.push(compare(work, &mut grown, run, &system, &postgresql).await?);
    }
    drop(grown);
    let left = commands::measure(run, &system, &postgresql).await?;
    report::table(&rows, &left, effort(run))
}

fn effort(run: &Run) -> Effort {
    run.choose(Effort::FULL_GROWTH, Effort::QUICK_GROWTH)
}

async fn compare(
    work: Work,
    grown: &mut [Grown],
    run: &Run,
    system: &System,
    postgresql: &PostgreSql,
) -> Result<Row> {
    let effort = effort(run);
    let mut sizes: Vec<_> = grown.iter().map(|it| (it.tasks, Series::default())).collect();
    for one in &mut *grown {
        one.check(work, system).await?;
        if run.full {
            one.turn(work, Effort::WARM_UP, system).await?;
        }
    }
    for _ in 0..effort.rounds {
        for index in there_and_back(sizes.len()) {
            let one = grown.get_mut(index).context("one for each")?;
            let before = postgresql.processor_time()?;
            let (count, per_second) = one.turn(work, effort.turn, system).await?;
            let spent = postgresql.processor_time()?.saturating_sub(before);
            let (_, series) = sizes.get_mut(index).context("one for each")?;
            series.rates.push(per_second);
            series.costs.push(spent.as_secs_f64() * 1e6 / count);
        }
    }
    Ok(Row { work, sizes })
}

impl Grown {
    async fn with(tasks: i64, run: &Run, system: &System, postgresql: &PostgreSql) -> Result<Self> {
        let database = postgresql.database().await?;
        let filled = timeout(PATIENCE, fill::fill(&database.owner_url, tasks)).await;
        filled.with_context(|| format!("filling {tasks} tasks takes more than {PATIENCE:?}"))??;
        let (url, reader) = system.function("task-reader", &database.reader_url, &[]).await?;
        let login = &database.writer_url;
        let writer = Writer::start(&run.bin_dir, login, CREATES, BATCH, CONNECTIONS).await?;
        Ok(Self { tasks, url, writer, _reader: reader, _database: database })
    }

    /// A list that is shorter would be another work.
    async fn check(&self, work: Work, system: &System) -> Result<()> {
        if let Work::List(name, query) = work {
            let page = system.get(&format!("{}/v1/tasks?{query}", self.url)).await?;
            let page: Value = serde_json::from_slice(&page)?;
            let tasks = page.get("tasks").and_then(Value::as_array).map(Vec::len);
            ensure!(tasks == Some(PAGE), "{name}: {tasks:?} of {} tasks", self.tasks);
        }
        Ok(())
    }

    /// Works for so long. Returns how often, and how often a second.
    async fn turn(&mut self, work: Work, time: Duration, system: &System) -> Result<(f64, f64)> {
        let Work::List(_, query) = work else {
            let turn = self.writer.turn(time).await?;
            return Ok((turn.commands, turn.commands / turn.seconds));
        };
        let token = format!("authorization: Bearer {}", system.token()?);
        let headers = vec![token, "cache-control: no-cache".to_owned()];
        let url = format!("{}/v1/tasks?{query}", self.url);
        let load = wrk::run_by(CLIENTS, &Target { url, headers }, time).await?;
        Ok((load.requests, load.per_second))
    }
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::List(name, _) => name,
            Self::Creates => "creates, 100 a batch, 4 connections",
        }
    }
}
