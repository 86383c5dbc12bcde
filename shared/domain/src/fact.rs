//! What is told to the world after a change.

/// What happened to a task. The task as it was left travels beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It came into being.
    Created,
    /// Some of its members changed.
    Updated,
    /// It was marked done.
    Completed,
    /// It was taken away.
    Deleted,
}
