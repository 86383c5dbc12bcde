//! The program that sends and takes the times: `latency`.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;
use tokio::time::timeout;

use super::Singles;
use crate::pipeline::Pipeline;

/// How long a run may take: it has bounds of its own, which say more.
const PATIENCE: Duration = Duration::from_mins(10);

pub(super) struct Tool<'a> {
    pub(super) pipeline: &'a Pipeline,
}

impl Tool<'_> {
    /// Sends so many commands at once.
    pub(super) async fn fill(&self, commands: &str, count: usize) -> Result<()> {
        let count = count.to_string();
        self.run::<1>(&["fill", "--commands", commands, "--count", &count]).await?;
        Ok(())
    }

    /// Commits a second of a worker that begins meanwhile, until so many facts came.
    pub(super) async fn capacity(&self, facts: &str, count: usize) -> Result<f64> {
        let count = count.to_string();
        let [rates] = self.run(&["capacity", "--facts", facts, "--count", &count]).await?;
        rates.first().copied().filter(|it| *it > 0.0).context("no rate was measured")
    }

    /// From a command's time to its commit, and from there to its fact.
    pub(super) async fn pipeline(
        &self,
        commands: &str,
        facts: &str,
        rate: f64,
        time: Duration,
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let (rate, count) = (rate.to_string(), count(rate, time));
        let arguments = ["--commands", commands, "--facts", facts, "--rate", &rate];
        let arguments = [&["pipeline"], &arguments[..], &["--count", &count]].concat();
        let [commit, fact] = self.run(&arguments).await?;
        Ok((millis(commit), millis(fact)))
    }

    /// From a command's time to its receipt, by nobody else.
    pub(super) async fn queue(
        &self,
        commands: &str,
        rate: f64,
        time: Duration,
    ) -> Result<Vec<f64>> {
        let (rate, count) = (rate.to_string(), count(rate, time));
        let arguments = ["queue", "--commands", commands, "--rate", &rate, "--count", &count];
        let [receipt] = self.run(&arguments).await?;
        Ok(millis(receipt))
    }

    /// One command after the other.
    pub(super) async fn history(
        &self,
        commands: &str,
        facts: &str,
        count: usize,
    ) -> Result<Singles> {
        let count = count.to_string();
        let arguments = ["history", "--commands", commands, "--facts", facts, "--count", &count];
        let [fact, history, write] = self.run(&arguments).await?.map(millis);
        Ok(Singles { fact, history, write })
    }

    /// Each column of what it prints.
    async fn run<const N: usize>(&self, arguments: &[&str]) -> Result<[Vec<f64>; N]> {
        let database = &self.pipeline.database.owner_url;
        let environment = self.pipeline.environment().with_secret("DATABASE_URL", database);
        let mut command = Command::new(self.pipeline.functions.bin_dir.join("latency"));
        command.args(arguments).envs(environment.iter()).kill_on_drop(true);
        let output = timeout(PATIENCE, command.output()).await.context("latency does not end")?;
        let output = output.context("starting latency")?;
        let name = arguments.first().copied().unwrap_or_default();
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`latency {name}`: {}", said.trim());
        columns(&String::from_utf8(output.stdout)?)
    }
}

/// Commands of a turn.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a whole number")]
fn count(rate: f64, time: Duration) -> String {
    ((rate * time.as_secs_f64()) as usize).max(1).to_string()
}

fn millis(micros: Vec<f64>) -> Vec<f64> {
    micros.into_iter().map(|it| it / 1e3).collect()
}

fn columns<const N: usize>(text: &str) -> Result<[Vec<f64>; N]> {
    let mut columns = [const { Vec::new() }; N];
    for line in text.lines() {
        let numbers = line.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        ensure!(numbers.len() == N, "{N} numbers were expected, and not {line:?}");
        for (column, number) in columns.iter_mut().zip(numbers) {
            column.push(number);
        }
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_by_column() {
        let columns_of = |text| columns::<2>(text).map_err(|error| error.to_string());
        assert_eq!(columns_of("1 -2\n3 4\n"), Ok([vec![1.0, 3.0], vec![-2.0, 4.0]]));
        assert!(columns_of("1\n").unwrap_err().contains("2 numbers"));
        assert!(columns_of("1 x\n").is_err());
    }
}
