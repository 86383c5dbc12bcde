//! What may be done to a task. These types are also the `data` of the command events and the
//! bodies of HTTP requests, so that a command means the same wherever it comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::json::{from_one, name, object};
use crate::limits::VERSION_MAX;
use crate::line::NewTitle;
use crate::portable::defaults;
use crate::tags::Tags;
use crate::task::Priority;
use crate::text::{Assignee, Description, TenantId};
use crate::values::{DueDate, TaskId, Version};

/// One command on one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Whose task.
    pub tenant: TenantId,
    /// Which task.
    pub task: TaskId,
    /// What to do with it.
    pub action: Action,
}

/// What to do with a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Bring it into being.
    Create(CreateTask),
    /// Change some of its members.
    Update(UpdateTask),
    /// Say who is to do it.
    Assign(AssignTask),
    /// Mark it done.
    Complete(Expected),
    /// Mark it to be done again.
    Reopen(Expected),
    /// Mark it as not to be done any more.
    Cancel(Expected),
    /// Delete it.
    Delete(Expected),
    /// Give it labels.
    Tag(ChangeTags),
    /// Take labels off.
    Untag(ChangeTags),
}

impl Action {
    /// The version that the task must have; any, when absent.
    #[must_use]
    pub fn expected_version(&self) -> Option<Version> {
        match self {
            Self::Create(_) => None,
            Self::Update(update) => update.expected_version,
            Self::Assign(assign) => assign.expected_version,
            Self::Tag(change) | Self::Untag(change) => change.expected_version,
            Self::Complete(expected)
            | Self::Reopen(expected)
            | Self::Cancel(expected)
            | Self::Delete(expected) => expected.expected_version,
        }
    }
}

/// A new task. Its identifier is the command's subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = defaults)]
pub struct CreateTask {
    /// What it is called.
    pub title: NewTitle,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// How urgent it is.
    #[serde(default, deserialize_with = "name")]
    pub priority: Priority,
    /// Who is to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Assignee>,
    /// The day by which it is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<DueDate>,
    /// Labels.
    #[serde(default)]
    pub tags: Tags,
}

/// A change of some members, if the task is at the expected version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateTask {
    /// The version that the task must have; any, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "from_one")]
    #[schemars(range(min = 1, max = VERSION_MAX))]
    pub expected_version: Option<Version>,
    /// The members to change.
    #[serde(deserialize_with = "object")]
    pub patch: TaskPatch,
}

/// Who is to do a task from now on. To have nobody do it, update it with `"assignee": null`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignTask {
    /// The version that the task must have; any, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "from_one")]
    #[schemars(range(min = 1, max = VERSION_MAX))]
    pub expected_version: Option<Version>,
    /// Who is to do it.
    pub assignee: Assignee,
}

/// Labels to add or to remove, whatever others there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTags {
    /// The version that the task must have; any, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "from_one")]
    #[schemars(range(min = 1, max = VERSION_MAX))]
    pub expected_version: Option<Version>,
    /// The labels.
    pub tags: Tags,
}

/// What the commands take that have nothing more to say than, if wished, an expected version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The version that the task must have; any, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "from_one")]
    #[schemars(range(min = 1, max = VERSION_MAX))]
    pub expected_version: Option<Version>,
}

/// A JSON merge patch (RFC 7396): a member that is absent stays, `null` clears it, a value
/// replaces it. Title, priority and tags cannot be cleared; no tags are `[]`. An empty patch is
/// valid and changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "TaskPatch")]
pub struct TaskPatch {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schemars(with = "NewTitle")]
    pub title: Option<NewTitle>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schemars(with = "Option<Description>")]
    pub description: Patch<Description>,
    /// How urgent it is.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present_name")]
    #[schemars(with = "Priority")]
    pub priority: Option<Priority>,
    /// Who is to do it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schemars(with = "Option<Assignee>")]
    pub assignee: Patch<Assignee>,
    /// The day by which it is to be done.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schemars(with = "Option<DueDate>")]
    pub due_date: Patch<DueDate>,
    /// All its labels; they replace those that it has.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schemars(with = "Tags")]
    pub tags: Option<Tags>,
}

/// What a merge patch says of one member that may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The member was absent: leave it.
    #[default]
    Keep,
    /// It was `null`: remove it.
    Clear,
    /// It had a value: put it there.
    Set(T),
}

impl<T> Patch<T> {
    fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl<T: Clone> Patch<T> {
    pub(crate) fn apply(&self, member: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *member = None,
            Self::Set(value) => *member = Some(value.clone()),
        }
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

/// Takes a value but no `null`, which serde's `Option` would silently read as absent.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// As [`present`], for an enum of names.
fn present_name<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    name(deserializer).map(Some)
}
