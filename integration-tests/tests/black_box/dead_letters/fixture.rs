//! Queues of one test's own, and the tool.

use std::process::Output;

use aws_sdk_s3::types::CreateBucketConfiguration;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    Message, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
};
use clap::Parser;
use local_stack::{AwsAccess, External, Queue, create_fifo_queue, create_queue};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Child;
use uuid::Uuid;

use super::tool::Tool;

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    servers: External,
}

/// A queue with its dead-letter queue, and who may use them.
pub(crate) struct Fixture {
    pub(crate) aws: AwsAccess,
    pub(crate) sqs: Client,
    pub(crate) queue: Queue,
    /// Where the ledger is.
    journal: TempDir,
}

impl Fixture {
    pub(crate) async fn fifo() -> Self {
        let (aws, sqs, name) = access(None);
        let queue = create_fifo_queue(&sqs, &name, 1).await.expect("a queue");
        Self::of(aws, sqs, queue)
    }

    pub(crate) async fn standard() -> Self {
        let (aws, sqs, name) = access(None);
        let queue = create_queue(&sqs, &name, 1).await.expect("a queue");
        Self::of(aws, sqs, queue)
    }

    /// Another queue of the same kind in the same region.
    pub(crate) async fn another(&self) -> Self {
        let (aws, sqs, name) = access(Some(&self.aws.region));
        let is_fifo = self.queue.url.strip_suffix(".fifo").is_some();
        let queue = if is_fifo {
            create_fifo_queue(&sqs, &name, 1).await
        } else {
            create_queue(&sqs, &name, 1).await
        };
        Self::of(aws, sqs, queue.expect("a queue"))
    }

    /// In a region without queues of other tests, with a FIFO queue of that name.
    pub(crate) async fn alone(region: &str, name: &str) -> Self {
        let (aws, sqs, _) = access(Some(region));
        let queue = create_fifo_queue(&sqs, name, 1).await.expect("a queue");
        Self::of(aws, sqs, queue)
    }

    pub(crate) fn of(aws: AwsAccess, sqs: Client, queue: Queue) -> Self {
        Self { aws, sqs, queue, journal: TempDir::new().expect("a folder") }
    }

    /// Below it the ledger is, if it is in files.
    pub(crate) fn journal_path(&self) -> String {
        self.journal.path().display().to_string()
    }

    /// The name of the dead-letter queue.
    pub(crate) fn name(&self) -> &str {
        self.queue.dead_letter_url.rsplit('/').next().expect("a name")
    }

    /// Puts bodies into the dead-letter queue in order, each under its group.
    pub(crate) async fn fill(&self, messages: &[(&str, String)]) {
        for (group, body) in messages {
            self.put(group, body, &[]).await;
        }
    }

    /// Puts a message with attributes into the dead-letter queue.
    pub(crate) async fn put(&self, group: &str, body: &str, attributes: &[(&str, &str)]) {
        let url = &self.queue.dead_letter_url;
        let mut send = self.sqs.send_message().queue_url(url).message_body(body);
        if url.strip_suffix(".fifo").is_some() {
            let id = Uuid::new_v4().to_string();
            send = send.message_group_id(group).message_deduplication_id(id);
        }
        for (name, value) in attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(*value);
            send = send.message_attributes(*name, value.build().expect("an attribute"));
        }
        send.send().await.expect("sent");
    }

    /// Runs the tool.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        self.command(&self.aws.endpoint, arguments).output().await.expect("a run")
    }

    /// Runs the tool, which must succeed, and returns what it printed.
    pub(crate) async fn printed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// The same of a command with `--json`: an object for each line.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let printed = self.printed(&[arguments, &["--json"]].concat()).await;
        printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The client of S3, and a bucket of this test's own.
    pub(crate) async fn bucket(&self) -> (aws_sdk_s3::Client, String) {
        let config = aws_sdk_s3::config::Builder::from(&self.aws.config()).force_path_style(true);
        let s3 = aws_sdk_s3::Client::from_conf(config.build());
        let bucket = format!("dead-{}", Uuid::new_v4().simple());
        let place = CreateBucketConfiguration::builder()
            .location_constraint(self.aws.region.as_str().into())
            .build();
        let create = s3.create_bucket().bucket(&bucket).create_bucket_configuration(place);
        create.send().await.expect("a bucket");
        (s3, bucket)
    }

    /// The tool, which finds SQS at `endpoint`.
    pub(crate) fn command(&self, endpoint: &str, arguments: &[&str]) -> Tool {
        let mut tool = Tool::new(arguments);
        tool.envs(self.aws.environment().iter())
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("XDG_STATE_HOME", self.journal.path())
            .env("AWS_ENDPOINT_URL_S3", &self.aws.endpoint);
        tool
    }

    /// How many messages of the dead-letter queue are visible, and how many are not.
    pub(crate) async fn depth(&self) -> (usize, usize) {
        let url = &self.queue.dead_letter_url;
        let request = self.sqs.get_queue_attributes().queue_url(url);
        let answer = request.attribute_names(QueueAttributeName::All).send().await;
        let attributes = answer.expect("an answer").attributes.expect("attributes");
        let number = |name| attributes[&name].parse().expect("a number");
        (
            number(QueueAttributeName::ApproximateNumberOfMessages),
            number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
        )
    }

    /// Receives ten messages at most, and keeps them invisible to others for so many seconds.
    pub(crate) async fn receive(&self, url: &str, invisible: i32) -> Vec<Message> {
        let request = self.sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let request = request.visibility_timeout(invisible);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        request.send().await.expect("an answer").messages.unwrap_or_default()
    }
}

fn access(region: Option<&str>) -> (AwsAccess, Client, String) {
    let servers = Settings::parse_from(["test"]).servers;
    let mut aws = AwsAccess::external(&servers).expect("AWS_ENDPOINT_URL");
    // A region has its own queues. So a test lists its own only.
    aws.region = region.map_or_else(|| format!("test-{}", Uuid::new_v4().simple()), str::to_owned);
    let sqs = aws.sqs();
    (aws, sqs, format!("dead-{}", Uuid::new_v4().simple()))
}

/// Sends a signal to a process.
pub(crate) fn signal(process: &Child, signal: Signal) {
    let id = i32::try_from(process.id().expect("it runs")).expect("an id");
    kill(Pid::from_raw(id), signal).expect("a signal");
}

/// Standard error as text.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
