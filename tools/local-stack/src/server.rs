//! One server of the stack: a process that can be stopped, ended as by a crash, and started again.
//! What it runs, and when it is ready, is said by `postgres`, `redis` and `aws`.

use std::fmt::{self, Debug, Formatter};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::BoxFuture;
use secrecy::SecretString;
use tokio::time::sleep;

use crate::process::{Process, Program};

const START_PAUSE: Duration = Duration::from_millis(300);

/// How a server is started, at first and again.
pub(crate) struct Launch {
    /// What messages call the server.
    pub(crate) title: &'static str,
    pub(crate) program: Program,
    /// How long it may take to become ready.
    pub(crate) limit: Duration,
    /// How often a start is tried whose process ends before it is ready.
    pub(crate) attempts: u32,
    /// Whether it is ready.
    pub(crate) ready: Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>,
}

impl Launch {
    async fn start(&self) -> Result<Process> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut process = Process::start(self.program.clone())?;
            match process.ready_when(self.limit, &self.ready).await {
                Ok(()) => return Ok(process),
                Err(_) if attempt < self.attempts && process.id().is_none() => {
                    sleep(START_PAUSE).await;
                }
                Err(error) => {
                    return Err(error).with_context(|| format!("{} does not start", self.title));
                }
            }
        }
    }
}

impl Debug for Launch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch").field("program", &self.program).finish_non_exhaustive()
    }
}

/// A private server; dropping it ends it as [`Process`] does. It must be started from a thread that
/// lives as long as the server shall.
#[derive(Debug)]
pub struct Server {
    process: Process,
    launch: Launch,
    url: SecretString,
}

impl Server {
    /// Starts it and returns when it is ready.
    pub(crate) async fn start(launch: Launch, url: SecretString) -> Result<Self> {
        Ok(Self { process: launch.start().await?, launch, url })
    }

    /// Its URL: a superuser's of the database `postgres`, Redis's with the password, or the value of
    /// `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> &SecretString {
        &self.url
    }

    /// The process, to watch it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Stops the server in its own way. PostgreSQL has all committed work afterwards, the
    /// AWS-compatible server its state, Redis nothing.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.process.stop().await
    }

    /// Ends the server as a crash would: nothing is flushed. PostgreSQL has all committed work
    /// afterwards, the others nothing.
    pub async fn kill(&mut self) -> Result<ExitStatus> {
        self.process.kill().await
    }

    /// Stops the server, if it still runs, and starts it again on the same port and data.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.process = self.launch.start().await?;
        Ok(())
    }
}
