//! Queues, in the words of SQS.

use serde::Deserialize;

/// The queues.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Queues {
    /// What producers ask of tasks.
    pub commands: Queue,
    /// What became of commands.
    pub facts: Queue,
    /// S3's notifications of uploads.
    pub attachment_events: Queue,
}

/// A queue's key in the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QueueKey {
    /// [`Queues::commands`].
    Commands,
    /// [`Queues::facts`].
    Facts,
    /// [`Queues::attachment_events`].
    AttachmentEvents,
}

/// A queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Queue {
    /// Its name; that of a FIFO queue ends with `.fifo`.
    pub name: String,
    /// What it is for, in one line.
    pub purpose: String,
    /// The function that consumes it.
    pub consumer: String,
    /// What a FIFO queue has besides; a standard queue has none of it.
    pub fifo: Option<Fifo>,
    /// For how long a received message is invisible, unless its receiver says otherwise. A pod says
    /// otherwise (`QUEUE_VISIBILITY_SECONDS`) and renews it; a Lambda does not, so this is six times what
    /// an invocation may take, as AWS recommends.
    pub visibility_timeout_seconds: u32,
    /// For how long a message is kept that nobody deletes.
    pub retention_seconds: u32,
    /// The largest message, attributes included.
    pub maximum_message_bytes: u32,
    /// Who holds the key that its messages are encrypted with.
    pub encryption: QueueEncryption,
    /// Deliveries of a message before SQS itself moves it to the dead-letter queue.
    pub max_receive_count: u32,
    /// Where messages go that cannot be processed. It is a FIFO queue if its queue is one, and takes
    /// from it the members that it does not have itself, but for the visibility timeout: its readers say
    /// theirs.
    pub dead_letter_queue: DeadLetterQueue,
}

/// What a FIFO queue has besides.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fifo {
    /// Within what a deduplication id is known.
    pub deduplication_scope: DeduplicationScope,
    /// What the limit of requests per second holds for.
    pub throughput_limit: ThroughputLimit,
    /// Whether SQS derives the deduplication id from the body; otherwise each sender chooses it.
    pub content_based_deduplication: bool,
}

/// Within what a deduplication id is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeduplicationScope {
    /// Its message group: high throughput needs it.
    MessageGroup,
}

/// What the limit of requests per second holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ThroughputLimit {
    /// Each message group: high throughput.
    PerMessageGroupId,
}

/// Who holds the key that messages are encrypted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum QueueEncryption {
    /// SQS.
    #[serde(rename = "SSE-SQS")]
    SseSqs,
}

/// A dead-letter queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeadLetterQueue {
    /// Its name.
    pub name: String,
    /// For how long a dead letter is kept. Longer than its queue keeps messages, for one that SQS moves
    /// out of a standard queue counts from when it was sent.
    pub retention_seconds: u32,
    /// Which queues may name it as theirs.
    pub redrive_allow: RedriveAllow,
}

/// Which queues may name a queue as their dead-letter queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RedriveAllow {
    /// Its own queue, and no other.
    ByQueue,
}

impl Queues {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> [&Queue; 3] {
        [&self.commands, &self.facts, &self.attachment_events]
    }
}

impl std::ops::Index<QueueKey> for Queues {
    type Output = Queue;

    fn index(&self, key: QueueKey) -> &Queue {
        match key {
            QueueKey::Commands => &self.commands,
            QueueKey::Facts => &self.facts,
            QueueKey::AttachmentEvents => &self.attachment_events,
        }
    }
}

impl DeduplicationScope {
    /// As SQS has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MessageGroup => "messageGroup",
        }
    }
}

impl ThroughputLimit {
    /// As SQS has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PerMessageGroupId => "perMessageGroupId",
        }
    }
}

impl RedriveAllow {
    /// As SQS has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ByQueue => "byQueue",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::resources;

    #[test]
    fn the_ends_of_names_say_what_a_queue_is() {
        for queue in resources().queues.all() {
            let (stem, suffix) = match queue.name.strip_suffix(".fifo") {
                Some(stem) => (stem, ".fifo"),
                None => (queue.name.as_str(), ""),
            };
            assert_eq!(queue.fifo.is_some(), suffix == ".fifo", "{}", queue.name);
            assert_eq!(queue.dead_letter_queue.name, format!("{stem}-dlq{suffix}"));
        }
    }

    #[test]
    fn dead_letters_are_kept_for_longest() {
        for queue in resources().queues.all() {
            assert!(queue.dead_letter_queue.retention_seconds > queue.retention_seconds);
        }
    }
}
