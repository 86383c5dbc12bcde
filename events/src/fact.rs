//! The facts that the service tells.

use domain::{Fact, Refusal};
use serde::{Deserialize, Serialize};

/// The `type` of the event that tells of `fact`. Its data is the [`domain::Task`] as the command
/// left it.
#[must_use]
pub const fn fact_type(fact: Fact) -> &'static str {
    match fact {
        Fact::Created => "dev.task-app.task.created.v1",
        Fact::Updated => "dev.task-app.task.updated.v1",
        Fact::Completed => "dev.task-app.task.completed.v1",
        Fact::Deleted => "dev.task-app.task.deleted.v1",
    }
}

/// The `type` of the event that tells of a refused command; data: [`CommandRejected`].
pub const COMMAND_REJECTED: &str = "dev.task-app.command.rejected.v1";

/// Which command was refused, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CommandRejected {
    /// The command event's `source`.
    pub command_source: String,
    /// The command event's `id`.
    pub command_id: String,
    /// Why it was refused.
    #[serde(flatten)]
    pub refusal: Refusal,
}
