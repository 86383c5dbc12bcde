//! The task itself, as it is stored, served and published in facts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::portable::names;
use crate::tags::Tags;
use crate::text::{Assignee, Description, TenantId, Title};
use crate::time::Timestamp;
use crate::values::{DueDate, TaskId, Version};

/// How urgent a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(title = "Priority", transform = names)]
pub enum Priority {
    /// When there is time.
    Low,
    /// The default.
    #[default]
    Normal,
    /// Before the others.
    High,
    /// Now.
    Urgent,
}

impl Priority {
    /// Its name, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(title = "Status", transform = names)]
pub enum Status {
    /// To be done.
    Open,
    /// Done.
    Completed,
    /// Not to be done any more.
    Cancelled,
}

impl Status {
    /// Its name, as in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A task. Absent optional members are left out of its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Task")]
pub struct Task {
    /// Identifier, unique within the tenant and never used again.
    pub id: TaskId,
    /// Whose task it is.
    pub tenant: TenantId,
    /// What it is called.
    pub title: Title,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Where it is in its life.
    pub status: Status,
    /// How urgent it is.
    pub priority: Priority,
    /// Who is to do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Assignee>,
    /// The day by which it is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date: Option<DueDate>,
    /// Labels, in alphabetical order.
    pub tags: Tags,
    /// 1 when created, one more with each change.
    pub version: Version,
    /// When the command that created it was applied.
    #[serde(serialize_with = "crate::time::serialize")]
    pub created_at: Timestamp,
    /// When the last command that changed it was applied. It rises with each version.
    #[serde(serialize_with = "crate::time::serialize")]
    pub updated_at: Timestamp,
    /// When it was completed, while it is.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::time::serialize_option"
    )]
    pub completed_at: Option<Timestamp>,
    /// When it was deleted. A deleted task is kept, unseen, so that its identifier and its
    /// versions are never used again.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::time::serialize_option"
    )]
    pub deleted_at: Option<Timestamp>,
}

impl Task {
    /// Whether readers may no longer see it.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }
}
