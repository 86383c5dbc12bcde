//! A PostgreSQL of the run's own, on a disk and with its defaults: what is committed is durable.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use local_stack::{Durability, Server, State, TestDatabase};
use tempfile::TempDir;

use crate::servers::processor_time;

/// What Linux counts in, of the children that ended: hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

pub(crate) struct PostgreSql {
    server: Server,
    /// The process that all others descend from.
    id: u32,
    state: State,
    _folder: TempDir,
}

impl PostgreSql {
    /// With its data in a new folder of `parent`.
    pub(crate) async fn start(parent: &Path) -> Result<Self> {
        let folder = tempfile::tempdir_in(parent)?;
        let state = State::open(folder.path())?;
        let mut server = Server::postgres(&state, Durability::Durable).await?;
        let id = server.process().id().context("PostgreSQL has ended")?;
        Ok(Self { server, id, state, _folder: folder })
    }

    pub(crate) async fn database(&self) -> Result<TestDatabase> {
        TestDatabase::create_on(self.server.url()).await
    }

    /// What all its processes have spent, those that ended included.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let mut spent = processor_time(self.id)? + ended_children(self.id)?;
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.id));
        for child in children.context("only Linux says which children a process has")?.split(' ') {
            // One that has ended meanwhile is counted among those from the next time on.
            let Ok(child) = child.parse() else { continue };
            spent += processor_time(child).unwrap_or_default();
        }
        Ok(spent)
    }

    pub(crate) fn assert_no_deadlock(&self) -> Result<()> {
        let log = fs::read_to_string(self.state.log("postgres"))?;
        ensure!(!log.contains("deadlock detected"), "PostgreSQL had to break a deadlock");
        Ok(())
    }
}

fn ended_children(id: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name, in brackets, may have spaces. After it are the state and the fields from the fourth on.
    let (_, fields) = stat.rsplit_once(')').context("a line without a name")?;
    let ticks = fields.split_whitespace().skip(13).take(2).map(str::parse::<u32>);
    Ok(TICK * ticks.sum::<Result<u32, _>>()?)
}
