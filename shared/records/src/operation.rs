//! An operation, and how it ends.

use domain::{Refusal, TaskId, Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::operation_id::OperationId;

/// A write that was accepted to be applied later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its identifier, which reveals nothing.
    pub id: OperationId,
    /// The task that it is about: of a create, the one that will be, unless its ending names another.
    pub task: TaskId,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// What became of it.
    pub state: State,
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    Accepted,
    /// Its command was processed.
    Ended(Ending),
    /// Its message is in the dead-letter queue, from where operators may replay it.
    DeadLettered,
}

/// The outcome of an operation's command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It took effect, or the task was so already: the task's version after it.
    Succeeded {
        /// The task: of a create whose key was used before, the one that was created then.
        task: TaskId,
        /// The task's version after the command.
        version: Version,
    },
    /// It was refused and changed nothing.
    Rejected(Refusal),
    /// Its key was used before, by another command.
    KeyReused,
}
