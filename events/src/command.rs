//! The commands that a producer may send.

use std::fmt;

/// A command event's `type`: reverse DNS, verb and noun, major version of its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandType {
    /// Create a task; data: [`domain::CreateTask`].
    CreateTask,
    /// Change some of a task's members; data: [`domain::UpdateTask`].
    UpdateTask,
    /// Say who is to do a task; data: [`domain::AssignTask`].
    AssignTask,
    /// Mark a task done; data: [`domain::Expected`].
    CompleteTask,
    /// Mark a task to be done again; data: [`domain::Expected`].
    ReopenTask,
    /// Mark a task as not to be done any more; data: [`domain::Expected`].
    CancelTask,
    /// Delete a task; data: [`domain::Expected`].
    DeleteTask,
    /// Give a task one label; data: [`ChangeTagV1`](crate::ChangeTagV1).
    AddTagV1,
    /// Give a task labels; data: [`domain::ChangeTags`].
    AddTag,
    /// Take one label off a task; data: [`ChangeTagV1`](crate::ChangeTagV1).
    RemoveTagV1,
    /// Take labels off a task; data: [`domain::ChangeTags`].
    RemoveTag,
}

impl CommandType {
    /// Every command type.
    pub const ALL: [Self; 11] = [
        Self::CreateTask,
        Self::UpdateTask,
        Self::AssignTask,
        Self::CompleteTask,
        Self::ReopenTask,
        Self::CancelTask,
        Self::DeleteTask,
        Self::AddTagV1,
        Self::AddTag,
        Self::RemoveTagV1,
        Self::RemoveTag,
    ];

    /// The `type` attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateTask => "dev.task-app.create-task.v1",
            Self::UpdateTask => "dev.task-app.update-task.v1",
            Self::AssignTask => "dev.task-app.assign-task.v1",
            Self::CompleteTask => "dev.task-app.complete-task.v1",
            Self::ReopenTask => "dev.task-app.reopen-task.v1",
            Self::CancelTask => "dev.task-app.cancel-task.v1",
            Self::DeleteTask => "dev.task-app.delete-task.v1",
            Self::AddTagV1 => "dev.task-app.add-tag.v1",
            Self::AddTag => "dev.task-app.add-tag.v2",
            Self::RemoveTagV1 => "dev.task-app.remove-tag.v1",
            Self::RemoveTag => "dev.task-app.remove-tag.v2",
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
            Self::CreateTask => "CreateTask",
            Self::UpdateTask => "UpdateTask",
            Self::AssignTask => "AssignTask",
            Self::CompleteTask => "CompleteTask",
            Self::ReopenTask => "ReopenTask",
            Self::CancelTask => "CancelTask",
            Self::DeleteTask => "DeleteTask",
            Self::AddTagV1 => "AddTagV1",
            Self::AddTag => "AddTag",
            Self::RemoveTagV1 => "RemoveTagV1",
            Self::RemoveTag => "RemoveTag",
        }
    }

    /// What it does, in a few words.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::CreateTask => "Create a task",
            Self::UpdateTask => "Change some members of a task",
            Self::AssignTask => "Say who is to do a task",
            Self::CompleteTask => "Mark a task done",
            Self::ReopenTask => "Mark a task to be done again",
            Self::CancelTask => "Mark a task as not to be done any more",
            Self::DeleteTask => "Delete a task",
            Self::AddTagV1 => "Give a task one label",
            Self::AddTag => "Give a task labels",
            Self::RemoveTagV1 => "Take one label off a task",
            Self::RemoveTag => "Take labels off a task",
        }
    }

    /// For producers: when to send it, and what comes back.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::CreateTask => {
                "Send it first; choose the task's identifier, a UUID of version 7, as `subject`. Comes \
                 back: `task.created`, or `command.rejected` with `task_already_exists` if the \
                 identifier was ever used."
            }
            Self::UpdateTask => {
                "A JSON merge patch: absent members stay, `null` clears, values replace. Comes back: \
                 `task.updated`; nothing if the task is like that already; or `command.rejected` with \
                 `task_not_found` or `version_conflict`."
            }
            Self::AssignTask => {
                "To have nobody do it, update it with `\"assignee\": null`. Comes back: \
                 `task.assigned`; nothing if it is assigned so already; or `command.rejected` with \
                 `task_not_found` or `version_conflict`."
            }
            Self::CompleteTask => {
                "An open task only. Comes back: `task.completed`, or `command.rejected` with \
                 `task_already_completed`, `task_already_cancelled`, `task_not_found` or \
                 `version_conflict`."
            }
            Self::ReopenTask => {
                "A completed or cancelled task only. Comes back: `task.reopened`, or \
                 `command.rejected` with `task_already_open`, `task_not_found` or `version_conflict`."
            }
            Self::CancelTask => {
                "An open task only. Comes back: `task.cancelled`, or `command.rejected` with \
                 `task_already_completed`, `task_already_cancelled`, `task_not_found` or \
                 `version_conflict`."
            }
            Self::DeleteTask => {
                "For ever: its identifier is never used again. Comes back: `task.deleted`, or \
                 `command.rejected` with `task_not_found` or `version_conflict`."
            }
            Self::AddTagV1 => {
                "As `add-tag.v2`, which takes several at once: new producers use that."
            }
            Self::AddTag => {
                "Labels that it has already are left. Comes back: `task.tagged`; nothing if it has them \
                 all; or `command.rejected` with `too_many_tags`, `task_not_found` or \
                 `version_conflict`."
            }
            Self::RemoveTagV1 => {
                "As `remove-tag.v2`, which takes several at once: new producers use that."
            }
            Self::RemoveTag => {
                "Labels that it has not are ignored. Comes back: `task.untagged`; nothing if it has \
                 none of them; or `command.rejected` with `task_not_found` or `version_conflict`."
            }
        }
    }
}

impl fmt::Display for CommandType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
