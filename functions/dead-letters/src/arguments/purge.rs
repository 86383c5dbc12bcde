//! The command line of `purge`.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, value_parser};

use super::Filters;
use crate::file::{Place, source};
use crate::ledger::LedgerOptions;
use crate::queue::{Reference, reference};

const EXAMPLES: &str = "\
Examples:
  dead-letters purge task-commands-dlq.fifo --export purged.ndjson.zst --type 'old-*' --why INC-9
  dead-letters purge orders-dlq --export s3://archive/purged.ndjson.zst --older-than 30d --why INC-9 --yes
  dead-letters purge orders-dlq --no-export --why INC-9 --yes

Exit codes: 0 done, 1 failed, interrupted or not all of the queue, 2 wrong usage.";

/// Delete messages, after they were exported
///
/// Exactly what is in the export is deleted. Others stay, visible and in their order.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PurgeArguments {
    /// The queue's name or URL
    #[arg(value_parser = reference)]
    pub(crate) queue: Reference,
    /// Why, for the ledger
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) why: String,
    #[command(flatten)]
    pub(crate) destination: Destination,
    /// Stop after so many messages that fit
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print a summary as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) filters: Filters,
    #[command(flatten)]
    pub(crate) ledger: LedgerOptions,
}

/// Where messages are before they are deleted.
#[derive(Debug, Args)]
pub(crate) struct Destination {
    /// Where messages are written before they are deleted: a file or `s3://BUCKET/KEY`
    #[arg(long, value_name = "FILE|s3://BUCKET/KEY", value_parser = source,
          required_unless_present = "no_export")]
    pub(crate) export: Option<Place>,
    /// Delete messages that are nowhere else
    #[arg(long, conflicts_with_all = ["export", "overwrite"])]
    pub(crate) no_export: bool,
    /// Replace the export that is there already
    #[arg(long)]
    pub(crate) overwrite: bool,
}
