//! Why a command was not applied. A refusal is a result: recorded, published as a fact, never retried.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::limits;
use crate::portable::names;
use crate::values::Version;

/// Why a command was not applied. Its `code` is stable: clients and producers match on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// There is no such task, or no longer.
    #[error("the task does not exist")]
    TaskNotFound,
    /// The identifier is taken, perhaps by a task that was deleted.
    #[error("a task with this identifier exists already, or did before it was deleted")]
    TaskAlreadyExists,
    /// It is open already: there is nothing to reopen.
    #[error("the task is open already")]
    TaskAlreadyOpen,
    /// It is done already: it can be reopened, but neither completed nor cancelled.
    #[error("the task is completed already")]
    TaskAlreadyCompleted,
    /// It is cancelled already: it can be reopened, but neither completed nor cancelled.
    #[error("the task is cancelled already")]
    TaskAlreadyCancelled,
    /// It would have more labels than a task may have.
    #[error("a task has at most {} tags", limits::TAGS_MAX)]
    TooManyTags,
    /// Somebody else changed it first.
    #[error("the task is at version {actual}, not at the expected {expected}")]
    VersionConflict {
        /// The version that the command expected.
        expected: Version,
        /// The version that the task has.
        actual: Version,
    },
}

/// A [`Refusal`] for those who read the contract: its members, as one object. Generators of types make
/// nothing of alternatives beside other members.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is described, and never made")]
struct Described {
    /// Why, for programs.
    code: RefusalCode,
    /// The version that the command expected, of a `version_conflict`.
    #[schemars(skip_serializing_if = "Option::is_none")]
    expected: Option<Version>,
    /// The version that the task has, of a `version_conflict`.
    #[schemars(skip_serializing_if = "Option::is_none")]
    actual: Option<Version>,
}

/// Why a command was not applied, for programs.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", title = "RefusalCode", transform = names)]
#[expect(dead_code, reason = "it is described, and never made")]
enum RefusalCode {
    /// There is no such task, or no longer.
    TaskNotFound,
    /// The identifier is taken, perhaps by a task that was deleted.
    TaskAlreadyExists,
    /// It is open already: there is nothing to reopen.
    TaskAlreadyOpen,
    /// It is done already: it can be reopened, but neither completed nor cancelled.
    TaskAlreadyCompleted,
    /// It is cancelled already: it can be reopened, but neither completed nor cancelled.
    TaskAlreadyCancelled,
    /// It would have more labels than a task may have.
    TooManyTags,
    /// Somebody else changed it first.
    VersionConflict,
}

impl JsonSchema for Refusal {
    fn schema_name() -> Cow<'static, str> {
        "Refusal".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Described::json_schema(generator)
    }
}

impl Refusal {
    /// The stable, machine-readable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TaskNotFound => "task_not_found",
            Self::TaskAlreadyExists => "task_already_exists",
            Self::TaskAlreadyOpen => "task_already_open",
            Self::TaskAlreadyCompleted => "task_already_completed",
            Self::TaskAlreadyCancelled => "task_already_cancelled",
            Self::TooManyTags => "too_many_tags",
            Self::VersionConflict { .. } => "version_conflict",
        }
    }
}
