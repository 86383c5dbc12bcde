//! One command after the other, until it is in the history.
//!
//! A table that is asked each millisecond would be slower for it. So the queue of facts is asked, which has the fact
//! from when the relay published it until the projector has written it, and deletes it. Then the table must have it.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, BatchStatementRequest};
use tokio::time::{Instant, sleep};

use crate::commands::{Command, Commands, micros};
use crate::commits::{Database, Watch};
use crate::queue::Queue;

/// Between two looks at the queue. A fast machine leaves a fact there for less than a millisecond.
const LOOK: Duration = Duration::from_micros(200);
/// Between two commands: whatever waits for work has gone to sleep.
const PAUSE: Duration = Duration::from_millis(50);
/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Sent before, and not reported.
const WARM_UP: usize = 5;

pub(crate) struct Table {
    client: Client,
    name: String,
}

/// From a command's commit to its fact on the queue, and to its entry; and a write of such an entry alone.
pub(crate) async fn run(
    (queue, facts): (&Queue, &Queue),
    table: &Table,
    count: usize,
    database: &Database,
) -> Result<Vec<[f64; 3]>> {
    let watch = Watch::start(database).await?;
    let mut commands = Commands::new();
    let mut seen = Vec::new();
    for _ in 0..WARM_UP + count {
        let command = commands.next();
        let (task, key) = (command.task, format!("{}/{}", command.tenant, command.task));
        let alike = table.write(&command).await?;
        let before = facts.counts().await?.sent;
        queue.send(vec![command]).await?;
        let published = facts.wait(|counts| counts.sent > before, LOOK, PATIENCE).await?;
        let written = facts.wait(|counts| counts.left == 0, LOOK, PATIENCE).await?;
        ensure!(table.has(&key).await?, "an entry is not there, though no fact is on the queue");
        seen.push((task, published, written, alike));
        sleep(PAUSE).await;
    }
    let committed = watch.end(Some(&commands.source)).await?;
    let of_one = |(task, published, written, alike): (_, _, _, Duration)| {
        let committed = *committed.get(&task).context("a command was not committed")?;
        let alone = alike.as_secs_f64() * 1e6;
        Ok([micros(committed, published), micros(committed, written), alone])
    };
    seen.into_iter().skip(WARM_UP).map(of_one).collect()
}

impl Table {
    pub(crate) fn new(config: &SdkConfig, name: String) -> Self {
        Self { client: Client::new(config), name }
    }

    /// Writes an entry as the projector does, of a task that nobody has. Returns how long that took.
    async fn write(&self, command: &Command) -> Result<Duration> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let request = BatchStatementRequest::builder()
            .statement(format!(
                r#"INSERT INTO "{}" VALUE {{'task': ?, 'version': ?, 'type': ?, 'time': ?, 'data': ?, 'actor': ?}}"#,
                self.name
            ))
            .parameters(AttributeValue::S(format!("bench/{}", command.task)))
            .parameters(AttributeValue::N("1".to_owned()))
            .parameters(text("dev.task-app.task.created.v1"))
            .parameters(text("2026-01-31T09:30:00.250000Z"))
            .parameters(text(&command.body))
            .parameters(text("/bench/latency"))
            .build()?;
        let begun = Instant::now();
        let answer = self.client.batch_execute_statement().statements(request).send().await;
        let took = begun.elapsed();
        let responses = answer.context("writing to DynamoDB")?.responses.unwrap_or_default();
        ensure!(responses.iter().all(|it| it.error.is_none()), "DynamoDB refused an entry");
        Ok(took)
    }

    async fn has(&self, key: &str) -> Result<bool> {
        let request = self.client.get_item().table_name(&self.name).consistent_read(true);
        let request = request.key("task", AttributeValue::S(key.to_owned()));
        let request = request.key("version", AttributeValue::N("1".to_owned()));
        Ok(request.send().await.context("reading from DynamoDB")?.item.is_some())
    }
}
