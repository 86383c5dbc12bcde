//! Commands that are put into a queue before they are measured, and what became of them afterwards.

use std::fmt::Write as _;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};
use tokio::process::Command;
use tokio::time::timeout;
use uuid::Uuid;

use crate::pipeline::Pipeline;

const TENANTS: usize = 50;
/// How long it may take to publish them.
const PATIENCE: Duration = Duration::from_mins(2);

/// Commands that create tasks, each in a group of its own, under a source of their own.
pub(crate) struct Commands {
    source: String,
    published: usize,
}

impl Commands {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { source: format!("/bench/{}", Uuid::now_v7()), published: 0 }
    }

    /// Publishes so many more, by the command line that producers have.
    pub(crate) async fn publish(
        &mut self,
        pipeline: &Pipeline,
        queue: &str,
        count: usize,
    ) -> Result<()> {
        let functions = &pipeline.functions;
        let file = functions.folder().join("commands.jsonl");
        fs::write(&file, self.lines(count)?)?;
        let mut command = Command::new(functions.bin_dir.join("task-app"));
        command.args(["publish", "--queue-url", queue]).arg(&file);
        command.envs(pipeline.environment().iter());
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
        let output = timeout(PATIENCE, output).await.context("publishing does not end")??;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "publishing failed: {said}");
        self.published += count;
        Ok(())
    }

    fn lines(&self, count: usize) -> Result<String> {
        let mut lines = String::new();
        for number in self.published..self.published + count {
            let (tenant, person) = (number % TENANTS, number % 200);
            writeln!(
                lines,
                r#"{{"specversion":"1.0","id":"{number}","source":"{}","type":"dev.task-app.create-task.v1","subject":"{}","time":"2026-01-31T09:30:00Z","datacontenttype":"application/json","tenant":"tenant-{tenant}","data":{{"title":"Water plant {number}","description":"Two litres, and not too fast","priority":"normal","assignee":"person-{person}@example.org","due_date":"2026-03-31","tags":["home","garden"]}}}}"#,
                self.source,
                Uuid::now_v7(),
            )?;
        }
        Ok(lines)
    }

    /// Fails unless each has taken effect once: a record of it, its task, and the fact.
    pub(crate) async fn assert_effect(&self, pipeline: &Pipeline) -> Result<()> {
        let owner = pipeline.database.owner_url.expose_secret();
        let mut connection = PgConnection::connect(owner).await?;
        let effects: (i64, i64, i64) = effects(&self.source, &mut connection).await?;
        let expected = i64::try_from(self.published)?;
        ensure!(
            effects == (expected, expected, expected),
            "of {expected} commands there are, as records, tasks and facts, {effects:?}"
        );
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it looks at what was measured, and is no part of it"
)]
async fn effects(source: &str, connection: &mut PgConnection) -> Result<(i64, i64, i64)> {
    let counts = sqlx::query_as(
        "WITH command AS MATERIALIZED (SELECT tenant, task_id FROM inbox WHERE source = $1)
        SELECT (SELECT count(*) FROM command),
            (SELECT count(*) FROM command JOIN tasks ON (tasks.tenant, tasks.id) = (command.tenant, task_id)),
            (SELECT count(*) FROM command JOIN outbox USING (tenant, task_id))",
    );
    Ok(counts.bind(source).fetch_one(connection).await?)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_command_is_an_event_with_a_name_of_its_own() {
        let commands = Commands { source: "/s".to_owned(), published: 7 };
        let lines = commands.lines(2).unwrap();
        let events: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ids: Vec<_> = events.iter().map(|event| &event["id"]).collect();
        assert_eq!(ids, ["7", "8"]);
        assert_ne!(events[0]["subject"], events[1]["subject"]);
        assert_eq!(events[0]["data"]["title"], "Water plant 7");
    }
}
