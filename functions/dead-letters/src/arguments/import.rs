//! The command line of `import`.

use std::num::NonZeroU64;

use clap::Args;

use crate::file::{Place, source};
use crate::queue::{Reference, reference};

const EXAMPLES: &str = "\
Examples:
  dead-letters import dead-letters.ndjson.zst task-commands-dlq.fifo --dry-run
  dead-letters import s3://archive/purged.ndjson.zst s3://archive/purged.000002.ndjson.zst orders-dlq
  dead-letters import dead-letters.ndjson.zst task-commands-dlq.fifo --from-line 812

Exit codes: 0 done, 1 failed or interrupted, 2 wrong usage.";

/// Send what was exported to a dead-letter queue
///
/// Everything is checked before the first message is sent. Each message has its body, its attributes and
/// its group again; of each group the order stays.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportArguments {
    /// Files or `s3://BUCKET/KEY`s that `export` or `purge` wrote, in their order
    #[arg(value_name = "FILE|s3://BUCKET/KEY", required = true, num_args = 1.., value_parser = source)]
    pub(crate) files: Vec<Place>,
    /// The name or URL of the dead-letter queue
    #[arg(value_parser = reference)]
    pub(crate) queue: Reference,
    /// Check everything, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Begin at this line of the first file: that at which an import ended
    #[arg(long, value_name = "LINE")]
    pub(crate) from_line: Option<NonZeroU64>,
    /// Also of a file without its end, which a run that was killed has left, the messages that are whole
    #[arg(long)]
    pub(crate) allow_partial: bool,
    /// Print a summary as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
