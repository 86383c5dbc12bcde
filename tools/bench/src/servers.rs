//! Processes that are measured: what they spend and what they hold.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use local_stack::{Function, Process, Program};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::TcpStream;

use crate::functions::PATIENCE;

/// A process that is measured. Dropped, it ends.
pub(crate) struct Server {
    id: u32,
    running: Running,
}

/// One of our functions, or another program.
pub(crate) enum Running {
    Ours(Function),
    Other(Process),
}

impl Running {
    fn process(&mut self) -> &mut Process {
        match self {
            Self::Ours(function) => function.process(),
            Self::Other(process) => process,
        }
    }
}

impl Server {
    pub(crate) fn new(mut running: Running) -> Result<Self> {
        let id = running.process().id().context("it has ended")?;
        Ok(Self { id, running })
    }

    /// Stops it for a while, or lets it go on.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let id = Pid::from_raw(self.id.try_into()?);
        kill(id, signal).context("it has ended")
    }

    /// Fails if it has ended, with the last lines that it printed.
    pub(crate) fn assert_runs(&mut self) -> Result<()> {
        self.running.process().assert_runs()
    }

    /// The end of its log, as an addition to an error message.
    pub(crate) fn last_log_lines(&mut self) -> String {
        self.running.process().last_log_lines()
    }

    pub(crate) fn processor_time(&self) -> Result<Duration> {
        processor_time(self.id)
    }

    /// What it holds in memory, in MiB.
    pub(crate) fn resident(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: Option<f64> = line.and_then(|it| it.split_whitespace().next()?.parse().ok());
        Ok(kib.context("no VmRSS in its status")? / 1024.0)
    }
}

/// Starts another program, and waits until it listens.
pub(crate) async fn listening(program: Program, address: SocketAddr) -> Result<Server> {
    let mut process = Process::start(program)?;
    let listens = || async move { TcpStream::connect(address).await.is_ok() };
    process.ready_when(PATIENCE, listens).await?;
    Server::new(Running::Other(process))
}

/// What the threads of a process have spent since they began.
pub(crate) fn processor_time(id: u32) -> Result<Duration> {
    let threads = fs::read_dir(format!("/proc/{id}/task"));
    let spent = threads.context("only Linux says what a process spends")?.filter_map(|thread| {
        let stat = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    });
    Ok(spent.sum())
}
