//! What is published after a change.

/// What happened to a task. The task as it was left travels beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It came into being.
    Created,
    /// Some of its members changed.
    Updated,
    /// Somebody else, or somebody at all, is to do it.
    Assigned,
    /// It was marked done.
    Completed,
    /// It was marked to be done again.
    Reopened,
    /// It was marked as not to be done any more.
    Cancelled,
    /// It was deleted.
    Deleted,
    /// It was given labels.
    Tagged,
    /// Labels were taken off.
    Untagged,
}
