//! The commands that a producer may send.

use std::fmt;

/// A command event's `type`: reverse DNS, verb and noun, major version of its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandType {
    /// Create a task; data: [`domain::CreateTask`].
    CreateTask,
    /// Change some of a task's members; data: [`domain::UpdateTask`].
    UpdateTask,
    /// Mark a task done; data: [`domain::Expected`].
    CompleteTask,
    /// Take a task away; data: [`domain::Expected`].
    DeleteTask,
}

impl CommandType {
    /// Every command type.
    pub const ALL: [Self; 4] =
        [Self::CreateTask, Self::UpdateTask, Self::CompleteTask, Self::DeleteTask];

    /// The `type` attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateTask => "dev.task-app.create-task.v1",
            Self::UpdateTask => "dev.task-app.update-task.v1",
            Self::CompleteTask => "dev.task-app.complete-task.v1",
            Self::DeleteTask => "dev.task-app.delete-task.v1",
        }
    }

    /// The type with this `type` attribute, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

impl fmt::Display for CommandType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
