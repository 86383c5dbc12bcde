//! A queue with dead letters, as a worker leaves them, and a ledger.

use std::path::PathBuf;
use std::process::Output;

use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{Message, MessageAttributeValue, SendMessageBatchRequestEntry};
use records::replays::Replays;
use resources::resources;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::dead_letters::fixture::Fixture;
use crate::dead_letters::tool::{Running, Tool};

/// Where the ledger of a test is.
pub(super) enum Place {
    Table(String),
    Journal(TempDir),
}

pub(super) struct Replay {
    pub(super) queues: Fixture,
    place: Place,
}

impl Replay {
    /// With the ledger in files.
    pub(super) fn journal(queues: Fixture) -> Self {
        Self { queues, place: Place::Journal(TempDir::new().expect("a folder")) }
    }

    /// With the ledger in a table.
    pub(super) async fn table(queues: Fixture) -> Self {
        let name = format!("replays-{}", Uuid::new_v4().simple());
        let aws = queues.aws.config();
        local_stack::create_table(&aws, &resources().tables.replays, &name).await.expect("a table");
        Self { queues, place: Place::Table(name) }
    }

    /// The table of the ledger, if it is in one.
    pub(super) fn replays(&self) -> Option<Replays> {
        match &self.place {
            Place::Table(table) => Some(Replays::new(&self.queues.aws.config(), table)),
            Place::Journal(_) => None,
        }
    }

    /// The tool, which finds AWS at `endpoint`.
    pub(super) fn command(&self, endpoint: &str, arguments: &[&str]) -> Tool {
        let mut tool = self.queues.command(endpoint, arguments);
        match &self.place {
            Place::Table(table) => tool.env("REPLAYS_TABLE", table),
            Place::Journal(folder) => tool.env("XDG_STATE_HOME", folder.path()),
        };
        tool
    }

    /// Runs the tool.
    pub(super) async fn run(&self, arguments: &[&str]) -> Output {
        self.command(&self.queues.aws.endpoint, arguments).output().await.expect("a run")
    }

    /// The file of a run's messages, if the ledger is in files.
    pub(super) fn messages_file(&self, run: &str) -> Option<PathBuf> {
        match &self.place {
            Place::Journal(folder) => {
                Some(folder.path().join(format!("dead-letters/{run}.messages")))
            }
            Place::Table(_) => None,
        }
    }

    /// Runs `replay` of the dead-letter queue; its exit code and its report.
    pub(super) async fn replay(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let queue = self.queues.name();
        let fixed = ["replay", queue, "--why", "a test", "--json"];
        self.report(&[&fixed[..], arguments].concat()).await
    }

    /// Goes on with a run.
    pub(super) async fn resume(&self, run: &str) -> (Option<i32>, Value) {
        self.report(&["replay", "--resume", run, "--take-over", "--json"]).await
    }

    async fn report(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let output = self.run(arguments).await;
        let report = serde_json::from_slice(&output.stdout);
        assert!(report.is_ok(), "{output:?}");
        (output.status.code(), report.unwrap_or_default())
    }

    /// Starts `replay` of the dead-letter queue.
    pub(super) fn start(&self, endpoint: &str, arguments: &[&str]) -> Running {
        let queue = self.queues.name();
        let fixed = ["replay", queue, "--why", "a test", "--json"];
        let mut tool = self.command(endpoint, &[&fixed[..], arguments].concat());
        tool.kill_on_drop().spawn().expect("a process")
    }

    /// The ledger's runs, or a run and its messages.
    pub(super) async fn runs(&self, run: &[&str]) -> Vec<Value> {
        let output = self.run(&[&["runs", "--json"], run].concat()).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// Puts bodies into the dead-letter queue in order, as a worker does that rejects them for `reason`.
    pub(super) async fn rejected(&self, reason: &str, messages: &[(&str, String)]) {
        let source = self.queues.queue.url.rsplit('/').next().expect("a name");
        let details = json!({"reason": reason, "queue": format!("arn:aws:sqs:x:1:{source}")});
        for (group, body) in messages {
            let mut details = details.clone();
            details["message_id"] = Uuid::new_v4().to_string().into();
            let attributes = [("DeadLetterReason", reason), ("DeadLetter", &details.to_string())];
            self.queues.put(group, body, &attributes).await;
        }
    }

    /// The same for many messages, each of a group of its own.
    pub(super) async fn rejected_many(&self, reason: &str, count: usize) {
        let value = |text: &str| {
            let value = MessageAttributeValue::builder().data_type("String").string_value(text);
            value.build().expect("an attribute")
        };
        let is_fifo = self.queues.queue.url.strip_suffix(".fifo").is_some();
        let numbers: Vec<_> = (0..count).collect();
        for numbers in numbers.chunks(10) {
            let entries = numbers.iter().map(|number| {
                let number = number.to_string();
                let ordered = is_fifo.then(|| number.clone());
                SendMessageBatchRequestEntry::builder()
                    .id(&number)
                    .message_body(&number)
                    .message_attributes("DeadLetterReason", value(reason))
                    .set_message_group_id(ordered.clone())
                    .set_message_deduplication_id(ordered)
                    .build()
                    .expect("an entry")
            });
            let url = &self.queues.queue.dead_letter_url;
            let request = self.queues.sqs.send_message_batch().queue_url(url);
            let request = request.set_entries(Some(entries.collect()));
            assert_eq!(request.send().await.expect("an answer").failed().len(), 0);
        }
    }

    /// Takes all messages out of the source queue.
    pub(super) async fn consume(&self) -> Vec<Message> {
        let url = &self.queues.queue.url;
        let mut all = Vec::new();
        loop {
            let request = self.queues.sqs.receive_message().queue_url(url);
            let request = request.max_number_of_messages(10).message_attribute_names("All");
            let page = request.send().await.expect("an answer").messages.unwrap_or_default();
            if page.is_empty() {
                return all;
            }
            for message in page {
                let receipt = message.receipt_handle.as_deref().expect("a handle");
                let delete = self.queues.sqs.delete_message().queue_url(url);
                delete.receipt_handle(receipt).send().await.expect("deleted");
                all.push(message);
            }
        }
    }

    /// The bodies of [`Self::consume`].
    pub(super) async fn consumed_bodies(&self) -> Vec<String> {
        let messages = self.consume().await;
        messages.into_iter().map(|message| message.body.expect("a body")).collect()
    }

    /// The bodies of the dead letters.
    pub(super) async fn dead_letters(&self) -> Vec<String> {
        let listed = self.queues.json(&["ls", self.queues.name()]).await;
        let mut bodies = Vec::new();
        for dead_letter in listed {
            let id = dead_letter["message_id"].as_str().expect("an id");
            let shown = self.queues.json(&["show", self.queues.name(), id]).await;
            bodies.push(shown[0]["body"].as_str().expect("a body").to_owned());
        }
        bodies
    }
}

pub(super) fn binary(bytes: &[u8]) -> MessageAttributeValue {
    let value = MessageAttributeValue::builder().data_type("Binary");
    value.binary_value(Blob::new(bytes)).build().expect("an attribute")
}

pub(super) fn bodies(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}
