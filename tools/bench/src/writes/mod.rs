//! Writes: batches of commands into PostgreSQL with durable commits, beside one statement that writes the
//! same rows.
//!
//! Programs that are compared work on one database in turn. PostgreSQL's processor time is that of all its
//! processes, with what they do in the background.

mod measure;
mod report;
pub(crate) mod writer;

use anyhow::Result;

use crate::part::Run;
use crate::show;
use crate::turns::Effort;

use measure::Bench;
pub(crate) use writer::fill;

/// What a database has seen before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// Tasks of 50 tenants, of which PostgreSQL has statistics.
    Analyzed,
    /// Nothing: each turn has a new one, and PostgreSQL knows nothing of its tables.
    New,
}

/// A program and its work, as `writers` names them.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) by: &'static str,
    pub(crate) work: &'static str,
}

const fn way(name: &'static str, by: &'static str, work: &'static str) -> Way {
    Way { name, by, work }
}

pub(crate) const CREATES: Way = way("creates", "ours", "creates");
const UPDATES: Way = way("updates", "ours", "updates");
const REPEATS: Way = way("repeats", "ours", "repeats");
const HOT: Way = way("updates of 40 tasks", "ours", "hot");
const STATEMENT: Way = way("one statement into the same tables", "statement", "creates");
const UPDATE: Way = way("one statement into the same tables", "statement", "updates");
const BARE: Way = way("one statement into bare tables", "bare", "creates");

/// What is compared.
pub(crate) struct Comparison {
    pub(crate) database: Database,
    pub(crate) batch: usize,
    pub(crate) connections: usize,
    pub(crate) ours: Way,
    /// Each with the ratio of commands per second that is aimed at.
    pub(crate) beside: &'static [(Way, f64)],
}

/// All that the report has.
fn comparisons() -> Vec<Comparison> {
    let of = |database, batch, connections, ours, beside| Comparison {
        database,
        batch,
        connections,
        ours,
        beside,
    };
    let creates: &[(Way, f64)] = &[(STATEMENT, 0.8), (BARE, 0.55)];
    let updates: &[(Way, f64)] = &[(UPDATE, 0.8)];
    let mut all = Vec::new();
    for batch in [10, 100] {
        for connections in [1, 4, 16] {
            all.push(of(Database::Analyzed, batch, connections, CREATES, creates));
        }
    }
    all.push(of(Database::New, 10, 4, CREATES, creates));
    for batch in [10, 100] {
        all.push(of(Database::Analyzed, batch, 4, UPDATES, updates));
    }
    all.push(of(Database::Analyzed, 10, 4, REPEATS, &[(CREATES, 1.5)]));
    all.push(of(Database::Analyzed, 10, 8, HOT, &[(UPDATES, 0.5)]));
    all
}

/// Tasks in the database before the first turn.
const QUICK_TASKS: usize = 20_000;
const FULL_TASKS: usize = 100_000;

/// Measures all of them.
pub(crate) async fn measure(run: &Run, effort: Effort) -> Result<String> {
    let tasks = run.choose(FULL_TASKS, QUICK_TASKS);
    let mut rows = Vec::new();
    for comparison in comparisons() {
        show(&format!("  {comparison}"));
        // A server of its own: each begins with as many tasks, and leaves gigabytes.
        let bench = Bench::start(run.bin_dir.clone(), &run.folder, tasks).await?;
        rows.push(bench.measure(comparison, effort).await?);
        bench.assert_no_deadlock()?;
    }
    report::table(&rows, effort, tasks)
}
