//! The worker's settings.

use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum, value_parser};
use runtime::sqs;

/// All settings of the function.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Config {
    #[command(flatten)]
    pub(crate) attachments: Attachments,
    #[command(flatten)]
    pub(crate) queue: sqs::Config,
    #[command(flatten)]
    pub(crate) store: store::Config,
}

/// Where attachments are, and when they go.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Attachments")]
#[group(skip)]
#[expect(clippy::struct_field_names, reason = "they are the names of the settings")]
pub(crate) struct Attachments {
    /// Bucket of attachments, whose `attachments/*` may be got and deleted, and which may be listed
    /// (both with their versions, if it has versioning)
    #[arg(long, env, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) attachment_bucket: String,

    /// The one part of the work to do. Without it a pod does both, and a Lambda verifies: the sweep
    /// is then another Lambda of the same binary, on a schedule
    #[arg(long, env, value_enum)]
    pub(crate) attachment_part: Option<Part>,

    /// Seconds between two sweeps of a pod
    #[arg(long, env, default_value_t = 60, value_parser = value_parser!(u16).range(1..=3_600))]
    attachment_sweep_seconds: u16,

    /// Hours after which an attachment that was never uploaded is deleted
    #[arg(long, env, default_value_t = 24, value_parser = value_parser!(u16).range(2..=720))]
    attachment_pending_hours: u16,

    /// Days after which an attachment that was rejected is deleted
    #[arg(long, env, default_value_t = 7, value_parser = value_parser!(u16).range(1..=365))]
    attachment_rejected_days: u16,
}

/// A part of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Verify what was uploaded, at S3's notifications.
    Verify,
    /// Remove what was deleted, was never uploaded, or was rejected.
    Sweep,
}

impl Attachments {
    pub(crate) fn sweep_every(&self) -> Duration {
        Duration::from_secs(self.attachment_sweep_seconds.into())
    }

    pub(crate) fn pending_for(&self) -> Duration {
        Duration::from_hours(self.attachment_pending_hours.into())
    }

    pub(crate) fn rejected_for(&self) -> Duration {
        Duration::from_hours(u64::from(self.attachment_rejected_days) * 24)
    }
}
