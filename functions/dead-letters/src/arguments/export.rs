//! The command line of `export`.

use clap::Args;

use super::Selection;
use crate::file::{Place, target};

const EXAMPLES: &str = "\
Examples:
  dead-letters export task-commands-dlq.fifo dead-letters.ndjson.zst --reason schema_violation
  dead-letters export orders-dlq s3://archive/orders-dlq.ndjson.zst
  dead-letters export orders-dlq - --limit 100

Exit codes: 0 done, 1 failed, interrupted or not all of the queue, 2 wrong usage.";

/// Write messages to a file or to S3, complete enough to import them again
///
/// They stay in the queue, visible and in their order.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// A file, `s3://BUCKET/KEY`, or `-` for the standard output. zstd compresses it if its name ends
    /// in `.zst`
    #[arg(value_name = "FILE|s3://BUCKET/KEY", value_parser = target)]
    pub(crate) target: Place,
    /// Replace what is there already
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Succeed though not all of the queue could be read
    #[arg(long)]
    pub(crate) allow_sample: bool,
    /// Print a summary as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
