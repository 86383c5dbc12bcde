//! A program that writes, one turn after the other: `writers`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::Way;
use crate::servers::processor_time;

/// How long it may take to prepare, and beyond a turn.
const PATIENCE: Duration = Duration::from_mins(2);

/// Dropped, it ends.
pub(crate) struct Writer {
    _child: Child,
    id: u32,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

/// What a turn wrote, and in how many seconds.
pub(crate) struct Turn {
    pub(crate) commands: f64,
    pub(crate) seconds: f64,
}

/// Creates tasks in both kinds of tables, and has them analyzed.
pub(crate) async fn fill(bin_dir: &Path, url: &SecretString, tasks: usize) -> Result<()> {
    let mut command = command(bin_dir, url);
    let status = command.args(["fill", "--tasks", &tasks.to_string()]).status();
    let status = timeout(PATIENCE, status).await.context("filling does not end")?;
    ensure!(status.context("starting writers")?.success(), "filling failed");
    Ok(())
}

impl Writer {
    pub(crate) async fn start(
        bin_dir: &Path,
        url: &SecretString,
        way: Way,
        batch: usize,
        connections: usize,
    ) -> Result<Self> {
        let (batch, connections) = (batch.to_string(), connections.to_string());
        let mut command = command(bin_dir, url);
        command.args([
            "--work",
            way.work,
            "--batch",
            &batch,
            "--connections",
            &connections,
            way.by,
        ]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.context("starting writers")?;
        let id = child.id().context("it has ended")?;
        let input = child.stdin.take().context("it has an input")?;
        let output = BufReader::new(child.stdout.take().context("it has an output")?).lines();
        let mut writer = Self { _child: child, id, input, output };
        ensure!(writer.line().await? == "ready", "a writer says something else");
        Ok(writer)
    }

    /// Writes for so long.
    pub(crate) async fn turn(&mut self, time: Duration) -> Result<Turn> {
        self.input.write_all(format!("{}\n", time.as_millis()).as_bytes()).await?;
        let line = self.line().await?;
        let (commands, seconds) = line.split_once(' ').context("two numbers")?;
        Ok(Turn { commands: commands.parse()?, seconds: seconds.parse()? })
    }

    pub(crate) fn processor_time(&self) -> Result<Duration> {
        processor_time(self.id)
    }

    async fn line(&mut self) -> Result<String> {
        let line = timeout(PATIENCE, self.output.next_line()).await;
        line.context("a writer does not answer")??.context("a writer has ended")
    }
}

fn command(bin_dir: &Path, url: &SecretString) -> Command {
    let mut command = Command::new(bin_dir.join("writers"));
    command.env("DATABASE_URL", url.expose_secret()).env("REDIS_URL", "").kill_on_drop(true);
    command
}
