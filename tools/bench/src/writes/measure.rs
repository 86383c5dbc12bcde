//! Programs that write, in turn: ours, the others, the others from last to first, ours.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use local_stack::TestDatabase;

use super::writer::{Writer, fill};
use super::{Comparison, Database, Way};
use crate::postgresql::PostgreSql;
use crate::turns::{Effort, Series, there_and_back};

/// What a comparison is made on.
pub(crate) struct Bench {
    bin_dir: PathBuf,
    postgresql: PostgreSql,
    analyzed: TestDatabase,
}

/// A comparison and what was measured: of ours, and of each other one.
pub(crate) struct Row {
    pub(crate) comparison: Comparison,
    pub(crate) measured: Vec<Measured>,
}

/// What was measured of a program, by turn. The costs are microseconds of processor time per command.
#[derive(Default)]
pub(crate) struct Measured {
    /// Commands a second, and PostgreSQL's costs.
    pub(crate) series: Series,
    /// The program's own costs.
    pub(crate) own: Vec<f64>,
}

impl Bench {
    /// With so many tasks in the database that is analyzed, and its data in a new folder of `folder`.
    pub(crate) async fn start(bin_dir: PathBuf, folder: &Path, tasks: usize) -> Result<Self> {
        let postgresql = PostgreSql::start(folder).await?;
        let analyzed = postgresql.database().await?;
        fill(&bin_dir, &analyzed.owner_url, tasks).await?;
        Ok(Self { bin_dir, postgresql, analyzed })
    }

    pub(super) async fn measure(&self, comparison: Comparison, effort: Effort) -> Result<Row> {
        let others = comparison.beside.iter().map(|(way, _)| *way);
        let ways: Vec<Way> = std::iter::once(comparison.ours).chain(others).collect();
        let mut measured: Vec<_> = ways.iter().map(|_| Measured::default()).collect();
        let mut writers = Vec::new();
        if comparison.database == Database::Analyzed {
            for way in &ways {
                writers.push(self.writer(&self.analyzed, *way, &comparison).await?);
            }
        }
        for _ in 0..effort.rounds {
            for index in there_and_back(ways.len()) {
                let of = measured.get_mut(index).context("one for each")?;
                if let Some(writer) = writers.get_mut(index) {
                    self.turn(writer, effort, of).await?;
                } else {
                    let new = self.postgresql.database().await?;
                    fill(&self.bin_dir, &new.owner_url, 0).await?;
                    let way = *ways.get(index).context("one for each")?;
                    let mut writer = self.writer(&new, way, &comparison).await?;
                    self.turn(&mut writer, effort, of).await?;
                }
            }
        }
        Ok(Row { comparison, measured })
    }

    pub(super) fn assert_no_deadlock(&self) -> Result<()> {
        self.postgresql.assert_no_deadlock()
    }

    async fn writer(
        &self,
        database: &TestDatabase,
        way: Way,
        Comparison { batch, connections, .. }: &Comparison,
    ) -> Result<Writer> {
        let url = if way.by == "ours" { &database.writer_url } else { &database.owner_url };
        Writer::start(&self.bin_dir, url, way, *batch, *connections).await
    }

    async fn turn(&self, writer: &mut Writer, effort: Effort, of: &mut Measured) -> Result<()> {
        let before = (self.postgresql.processor_time()?, writer.processor_time()?);
        let turn = writer.turn(effort.turn).await?;
        let after = (self.postgresql.processor_time()?, writer.processor_time()?);
        let cost = |after: Duration, before| {
            after.saturating_sub(before).as_secs_f64() * 1e6 / turn.commands
        };
        of.series.rates.push(turn.commands / turn.seconds);
        of.series.costs.push(cost(after.0, before.0));
        of.own.push(cost(after.1, before.1));
        Ok(())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, batch, connections, ours, .. } = self;
        let plural = if *connections == 1 { "" } else { "s" };
        write!(f, "{}, {batch} a batch, {connections} connection{plural}", ours.name)?;
        match database {
            Database::Analyzed => Ok(()),
            Database::New => f.write_str(", a new database"),
        }
    }
}
