//! A scenario's fixture: a queue with messages in it, and what the handler wrote down.

use std::collections::HashMap;
use std::path::PathBuf;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    Message, MessageAttributeValue, MessageSystemAttributeNameForSends,
    MessageSystemAttributeValue, QueueAttributeName,
};
use local_stack::{Environment, Queue};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::system::{TestSystem, eventually};

/// A message to send.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) group: String,
    pub(crate) body: String,
    pub(crate) attributes: HashMap<String, MessageAttributeValue>,
    /// What AWS would add for a traced sender.
    pub(crate) trace_header: Option<String>,
}

/// Beginning or end of a delivery's handling.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    pub(crate) id: String,
    pub(crate) group: String,
    pub(crate) batch: u64,
    pub(crate) what: String,
    pub(crate) at_ms: i64,
}

pub(crate) struct Fixture {
    pub(crate) system: TestSystem,
    fifo: bool,
}

/// A message that scripts a step for each delivery.
pub(crate) fn message(group: &str, id: &str, steps: &Value) -> Sent {
    raw(group, &json!({"id": id, "steps": steps}).to_string())
}

pub(crate) fn raw(group: &str, body: &str) -> Sent {
    let (group, body) = (group.to_owned(), body.to_owned());
    Sent { group, body, attributes: HashMap::new(), trace_header: None }
}

impl Sent {
    pub(crate) fn with_text(self, name: &str, value: &str) -> Self {
        let attribute = MessageAttributeValue::builder().data_type("String").string_value(value);
        self.with(name, attribute.build().expect("an attribute"))
    }

    pub(crate) fn with_bytes(self, name: &str, value: &[u8]) -> Self {
        let value = Blob::new(value);
        let attribute = MessageAttributeValue::builder().data_type("Binary").binary_value(value);
        self.with(name, attribute.build().expect("an attribute"))
    }

    fn with(mut self, name: &str, value: MessageAttributeValue) -> Self {
        self.attributes.insert(name.to_owned(), value);
        self
    }
}

impl Fixture {
    /// With a FIFO queue.
    pub(crate) async fn new() -> Self {
        Self { system: TestSystem::new().await, fifo: true }
    }

    /// With a standard queue.
    pub(crate) async fn standard() -> Self {
        let mut system = TestSystem::new().await;
        system.queue = standard_queue(&system.sqs).await;
        Self { system, fifo: false }
    }

    pub(crate) fn environment(&self) -> Environment {
        let environment = self.system.environment(&self.system.database.writer_url);
        let backoff = [("BACKOFF_BASE_MS", "100"), ("BACKOFF_MAX_SECONDS", "1")];
        let add = |all: Environment, (name, value)| all.with(name, value);
        backoff
            .into_iter()
            .fold(environment, add)
            .with("QUEUE_URL", &self.system.queue.url)
            .with("QUEUE_WAIT_SECONDS", "1")
            .with("EFFECTS_FILE", self.effects_file())
    }

    /// A path in the fixture's own folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.system.state.path().join(name)
    }

    fn effects_file(&self) -> PathBuf {
        self.path("effects")
    }

    /// Has the queue hand a message out so often before it gives it up.
    pub(crate) async fn allow_deliveries(&self, most: u32) {
        let (sqs, queue) = (&self.system.sqs, &self.system.queue);
        let redrive = redrive(sqs, &queue.dead_letter_url, most).await;
        let set = sqs.set_queue_attributes().queue_url(&queue.url);
        set.attributes(QueueAttributeName::RedrivePolicy, redrive).send().await.expect("set");
    }

    /// Sends in order, one by one: of a batch the emulator drops `AWSTraceHeader`.
    pub(crate) async fn send(&self, messages: &[Sent]) {
        for message in messages {
            let request = self.system.sqs.send_message().queue_url(&self.system.queue.url);
            let request = request
                .message_body(&message.body)
                .set_message_attributes(Some(message.attributes.clone()))
                .set_message_system_attributes(message.trace_header.as_deref().map(trace_header))
                .set_message_group_id(self.fifo.then(|| message.group.clone()))
                .set_message_deduplication_id(self.fifo.then(|| Uuid::new_v4().to_string()));
            request.send().await.expect("sent");
        }
    }

    /// Waits until the queue holds nothing, neither visible nor in flight: every message was deleted
    /// then, and every dead letter was sent before.
    pub(crate) async fn empty(&self) {
        let url = &self.system.queue.url;
        eventually("the queue is empty", async || (self.count(url).await == 0).then_some(())).await;
    }

    /// Takes all dead letters.
    pub(crate) async fn take_dead_letters(&self) -> Vec<Message> {
        let mut letters = Vec::new();
        while self.count(&self.system.queue.dead_letter_url).await > 0 {
            letters.extend(self.system.take_dead_letters().await);
        }
        letters
    }

    /// Messages that somebody was handed and has neither deleted nor given back.
    pub(crate) async fn in_flight(&self) -> u64 {
        let hidden = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
        self.sum(&self.system.queue.url, [hidden]).await
    }

    /// Messages that a queue holds.
    async fn count(&self, url: &str) -> u64 {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as Hidden,
        };
        self.sum(url, [Visible, Hidden]).await
    }

    async fn sum(&self, url: &str, names: impl IntoIterator<Item = QueueAttributeName>) -> u64 {
        let names = Some(names.into_iter().collect());
        let request = self.system.sqs.get_queue_attributes().queue_url(url);
        let answer = request.set_attribute_names(names).send().await.expect("an answer");
        let counts = answer.attributes.expect("attributes");
        counts.values().map(|count| count.parse::<u64>().expect("a count")).sum()
    }

    /// What the handler has written down, in order.
    pub(crate) fn effects(&self) -> Vec<Effect> {
        let lines = std::fs::read_to_string(self.effects_file()).unwrap_or_default();
        let effect = |line: &str| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let text = |name: &str| line[name].as_str().expect("a text").to_owned();
            Effect {
                id: text("id"),
                group: text("group"),
                batch: line["batch"].as_u64().expect("a size"),
                what: text("what"),
                at_ms: line["at_ms"].as_i64().expect("a time"),
            }
        };
        lines.lines().map(effect).collect()
    }
}

fn trace_header(
    header: &str,
) -> HashMap<MessageSystemAttributeNameForSends, MessageSystemAttributeValue> {
    let value = MessageSystemAttributeValue::builder().data_type("String").string_value(header);
    let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
    HashMap::from([(name, value.build().expect("an attribute"))])
}

async fn standard_queue(sqs: &Client) -> Queue {
    let name = format!("test-{}", Uuid::new_v4().simple());
    let dead = sqs.create_queue().queue_name(format!("{name}-dlq")).send().await;
    let dead_letter_url = dead.expect("a queue").queue_url.expect("a URL");
    let redrive = redrive(sqs, &dead_letter_url, 5).await;
    let queue = sqs.create_queue().queue_name(name);
    let queue = queue.attributes(QueueAttributeName::RedrivePolicy, redrive).send().await;
    Queue { url: queue.expect("a queue").queue_url.expect("a URL"), dead_letter_url }
}

async fn redrive(sqs: &Client, dead_letter_url: &str, max_receive_count: u32) -> String {
    let arn = sqs.get_queue_attributes().queue_url(dead_letter_url);
    let arn = arn.attribute_names(QueueAttributeName::QueueArn).send().await.expect("an answer");
    let arn = &arn.attributes.expect("attributes")[&QueueAttributeName::QueueArn];
    json!({"deadLetterTargetArn": arn, "maxReceiveCount": max_receive_count}).to_string()
}
