//! The facts that the service publishes.

use std::fmt;

use domain::{Fact, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fact event's `type`: reverse DNS, what it is about, what happened, major version of its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactType {
    /// A task changed; data: [`domain::Task`] as the command left it.
    Task(Fact),
    /// A command was refused and changed nothing; data: [`CommandRejected`].
    CommandRejected,
}

impl FactType {
    /// Every fact type.
    pub const ALL: [Self; 10] = [
        Self::Task(Fact::Created),
        Self::Task(Fact::Updated),
        Self::Task(Fact::Assigned),
        Self::Task(Fact::Completed),
        Self::Task(Fact::Reopened),
        Self::Task(Fact::Cancelled),
        Self::Task(Fact::Deleted),
        Self::Task(Fact::Tagged),
        Self::Task(Fact::Untagged),
        Self::CommandRejected,
    ];

    /// The `type` attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Task(Fact::Created) => "dev.task-app.task.created.v1",
            Self::Task(Fact::Updated) => "dev.task-app.task.updated.v1",
            Self::Task(Fact::Assigned) => "dev.task-app.task.assigned.v1",
            Self::Task(Fact::Completed) => "dev.task-app.task.completed.v1",
            Self::Task(Fact::Reopened) => "dev.task-app.task.reopened.v1",
            Self::Task(Fact::Cancelled) => "dev.task-app.task.cancelled.v1",
            Self::Task(Fact::Deleted) => "dev.task-app.task.deleted.v1",
            Self::Task(Fact::Tagged) => "dev.task-app.task.tagged.v1",
            Self::Task(Fact::Untagged) => "dev.task-app.task.untagged.v1",
            Self::CommandRejected => "dev.task-app.command.rejected.v1",
        }
    }

    /// The type with this `type` attribute, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    /// Its name in programs.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Task(Fact::Created) => "TaskCreated",
            Self::Task(Fact::Updated) => "TaskUpdated",
            Self::Task(Fact::Assigned) => "TaskAssigned",
            Self::Task(Fact::Completed) => "TaskCompleted",
            Self::Task(Fact::Reopened) => "TaskReopened",
            Self::Task(Fact::Cancelled) => "TaskCancelled",
            Self::Task(Fact::Deleted) => "TaskDeleted",
            Self::Task(Fact::Tagged) => "TaskTagged",
            Self::Task(Fact::Untagged) => "TaskUntagged",
            Self::CommandRejected => "CommandRejected",
        }
    }

    /// What happened, in a few words.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Task(Fact::Created) => "A task came into being",
            Self::Task(Fact::Updated) => "Some members of a task changed",
            Self::Task(Fact::Assigned) => "Somebody else is to do a task",
            Self::Task(Fact::Completed) => "A task was marked done",
            Self::Task(Fact::Reopened) => "A task is to be done again",
            Self::Task(Fact::Cancelled) => "A task is not to be done any more",
            Self::Task(Fact::Deleted) => "A task was deleted",
            Self::Task(Fact::Tagged) => "A task was given labels",
            Self::Task(Fact::Untagged) => "Labels were taken off a task",
            Self::CommandRejected => "A command was refused and changed nothing",
        }
    }
}

impl fmt::Display for FactType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which command was refused, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Rejection")]
pub struct CommandRejected {
    /// The command event's `source`.
    pub command_source: String,
    /// The command event's `id`.
    pub command_id: String,
    /// Why it was refused.
    #[serde(flatten)]
    pub refusal: Refusal,
}
