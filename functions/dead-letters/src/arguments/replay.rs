//! The command line of `replay`.

use clap::{Args, value_parser};

use super::Which;
use crate::edit::EditArguments;
use crate::filter::seconds;
use crate::ledger::LedgerOptions;
use crate::queue::{Reference, reference};

const EXAMPLES: &str = "\
Examples:
  dead-letters replay task-commands-dlq.fifo --reason database_unavailable --dry-run
  dead-letters replay task-commands-dlq.fifo --reason database_unavailable --why 'INC-7: database is back'
  dead-letters replay orders-dlq --type order.placed --ramp --rate 200 --why 'INC-8: fixed in 1.4.2'
  dead-letters replay task-commands-dlq.fifo --edit-jq 'del(.data.colour)' --why 'INC-8: unknown member'
  dead-letters replay orders-dlq --to orders-test --limit 10 --why 'INC-9: try'
  dead-letters replay --resume 01932e7c-4a51-7c0e-9d35-0a8e6f1d2c3b

Exit codes: 0 done, 1 some are not replayed, or interrupted, 2 wrong usage, 3 stopped by the canary.";

/// What a run that is resumed has from its begin, and cannot be given anew.
const OF_THE_BEGIN: [&str; 24] = [
    "queue",
    "why",
    "to",
    "reorder",
    "canary",
    "ramp",
    "limit",
    "sample",
    "reason",
    "type",
    "source",
    "tenant",
    "task",
    "group",
    "older_than",
    "newer_than",
    "attempts",
    "attribute",
    "body",
    "body_path",
    "not",
    "edits",
    "schema",
    "no_schema",
];

/// Put messages back into the queue that they were in, oldest first
///
/// The message is sent as its producer sent it, byte for byte, and deleted then. Of a FIFO group, nothing
/// is replayed behind a message that is not.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReplayArguments {
    /// The queue's name or URL
    #[arg(value_parser = reference, required_unless_present = "resume")]
    pub(crate) queue: Option<Reference>,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["resume", "dry_run"],
          value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) why: Option<String>,
    /// Send to this queue, not to the one that each message was in
    #[arg(long, value_name = "QUEUE", value_parser = reference)]
    pub(crate) to: Option<Reference>,
    /// Show what would be replayed, and change nothing
    #[arg(long, conflicts_with = "resume")]
    pub(crate) dry_run: bool,
    /// Send so many first, and go on only if none of them comes back
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1_000))]
    pub(crate) canary: Option<u64>,
    /// Send 1, then 5, then 50, each as a canary; or as many as are named
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', num_args = 0..=1, require_equals = true,
          default_missing_value = "1,5,50", value_parser = value_parser!(u64).range(1..=1_000))]
    pub(crate) ramp: Vec<u64>,
    /// How long to wait for what becomes of a canary: `90s`, `15m` [default: 2m]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) wait: Option<u64>,
    /// Go on after that time if none came back, even if their queue is not empty
    #[arg(long)]
    pub(crate) accept_silence: bool,
    /// So many messages a second at most
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: Option<u32>,
    /// Replay a message of a FIFO group even if an earlier one is not replayed
    #[arg(long)]
    pub(crate) reorder: bool,
    /// Go on with a run that stopped or was killed
    #[arg(long, value_name = "RUN", conflicts_with_all = OF_THE_BEGIN)]
    pub(crate) resume: Option<String>,
    /// The process of the run that is resumed has certainly ended: do not wait for it
    #[arg(long, requires = "resume")]
    pub(crate) take_over: bool,
    /// The result as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) which: Which,
    #[command(flatten)]
    pub(crate) edit: EditArguments,
    #[command(flatten)]
    pub(crate) ledger: LedgerOptions,
}

impl ReplayArguments {
    /// How many messages are sent before each look at what became of them.
    pub(crate) fn stages(&self) -> Vec<u64> {
        self.canary.into_iter().chain(self.ramp.iter().copied()).collect()
    }
}
