//! The command line.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, value_parser};

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

    /// Bucket for the data of events that are too large for the queue: the consumer's. Unset, such
    /// events are refused
    #[arg(long, env, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) claim_check_bucket: Option<String>,

    /// Largest event to send whole, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 262_144, requires = "claim_check_bucket",
        value_parser = value_parser!(u32).range(0..=262_144))]
    pub(crate) claim_check_over: u32,

    /// Send no faster than this
    #[arg(long, value_name = "EVENTS_PER_SECOND")]
    pub(crate) rate: Option<NonZeroU32>,

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
  generate-events | publish --queue-url \"$QUEUE_URL\" --rate 100 --json
  publish --queue-url \"$QUEUE_URL\" --claim-check-bucket \"$BUCKET\" large.json

The region, the credentials and, for another endpoint than AWS, AWS_ENDPOINT_URL are those of the
AWS command line.

Exit codes: 0 everything was valid and sent; 1 it could not run; 2 wrong usage; 3 some events were
refused or not accepted by the queue.";
