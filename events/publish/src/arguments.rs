//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Validates command events against the contract and sends them to the command queue.
///
/// Every event is validated before the first is sent. Events that break the contract are named,
/// each with the reason and the place, and are not sent; the others are.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Files with one event each (`.json`) or one event a line (any other name); `-` or none reads
    /// standard input, one event a line
    pub(crate) files: Vec<PathBuf>,

    /// The command queue
    #[arg(long, env, required_unless_present = "dry_run")]
    pub(crate) queue_url: Option<String>,

    /// Validate only
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print the summary as JSON on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

const EXAMPLES: &str = "\
Examples:
  publish --dry-run events/examples/valid/*.json
  publish --queue-url \"$QUEUE_URL\" create.json complete.json
  generate-events | publish --queue-url \"$QUEUE_URL\" --json

The region, the credentials and, for another endpoint than AWS, AWS_ENDPOINT_URL are those of the
AWS command line.

Exit codes: 0 everything was valid and sent; 1 it could not run; 2 wrong usage; 3 some events were
refused or not accepted by the queue.";
