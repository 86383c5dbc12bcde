//! What a ledger says of a run, and of each of its messages.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One replay or purge of dead letters: what was asked for, by whom and why, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Identifies it; later runs have greater ones (`UUIDv7`).
    pub run: String,
    /// Whether it goes on.
    pub state: RunState,
    /// Why it stopped, if it did.
    pub stopped_because: Option<String>,
    /// The URL of the dead-letter queue.
    pub queue: String,
    /// The command line, without the program's name: the filters and the options.
    pub arguments: Vec<String>,
    /// Who began it: an ARN, as STS says, or a user of a machine.
    pub by: String,
    /// Why it was begun, in the operator's words.
    pub why: String,
    /// When it was begun. Messages that were sent later are not a part of it.
    #[serde(serialize_with = "domain::time::serialize")]
    pub started_at: DateTime<Utc>,
    /// When it ended or stopped.
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Stages of the canary and the ramp that passed.
    pub stages_passed: u32,
    /// The ids of its messages, if they are a random sample. An item has room for some thousand.
    pub chosen: Option<Vec<String>>,
    /// What came of its messages.
    pub counts: Counts,
}

/// Whether a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It goes on, or its process was killed.
    Running,
    /// Nothing is left to do.
    Done,
    /// It may be resumed.
    Stopped,
}

/// What came of the messages of a run, in numbers of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// They were sent, and are no dead letters any more.
    pub sent: u64,
    /// Of these, those that may have been sent twice: a process ended between the send and its record.
    pub perhaps_twice: u64,
    /// They were edited before they were sent.
    pub edited: u64,
    /// They could not be sent, and are dead letters.
    pub failed: u64,
    /// They are dead letters, because an earlier one of their group is.
    pub held_back: u64,
    /// They were sent, and came back to the dead-letter queue while the run watched it.
    pub returned: u64,
    /// They were deleted without being sent, by a purge.
    pub deleted: u64,
}

/// A message of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Its id in the dead-letter queue.
    pub message_id: String,
    /// Its id in the queue that it was in before: by it an earlier replay is found.
    pub first_id: String,
    /// How far it is.
    pub state: MessageState,
    /// The URL of the queue to which it is sent.
    pub target: String,
    /// The id of its event, if it is one.
    pub event_id: Option<String>,
    /// Its id in the queue to which it was sent.
    pub sent_id: Option<String>,
    /// What an edit changed.
    pub edit: Option<Edit>,
    /// Why it could not be sent.
    pub failure: Option<String>,
    /// How often a send was begun.
    pub sends: u32,
    /// When this was written.
    #[serde(serialize_with = "domain::time::serialize")]
    pub at: DateTime<Utc>,
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// A send was begun. If its process ended then, it may have been sent.
    Sending,
    /// It was sent. It may still be a dead letter, to be deleted.
    Sent,
    /// It was not sent, and is a dead letter.
    Failed,
}

/// What an edit changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// How it was edited: `json-patch`, `jq` or `editor`.
    pub editor: String,
    /// The SHA-256 of the body as it was, in 64 lower-case hexadecimal digits.
    pub original_sha256: String,
    /// The id of the new event; none if it is no event.
    pub event_id: Option<String>,
}
