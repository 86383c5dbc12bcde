//! The command line of `cost`.

use clap::Args;

use crate::queue::{Reference, reference};

const EXAMPLES: &str = "\
Examples:
  DATABASE_URL=postgres://operator@host/tasks dead-letters cost task-commands-dlq.fifo milk-1

Exit codes: 0 done, 1 failed or interrupted, 2 wrong usage.";

/// Show which commands of the same task were refused while a command was missing
///
/// It is for commands of task-app. The database user must be a member of `task_app_operator`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CostArguments {
    /// The queue's name or URL
    #[arg(value_parser = reference)]
    pub(crate) queue: Reference,
    /// The message's id, the one that it had in its first queue, or its event's
    pub(crate) id: String,
    /// As one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: store::Config,
}
