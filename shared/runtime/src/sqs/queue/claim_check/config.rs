//! The configuration of claim checks.

use anyhow::ensure;
use clap::{Args, builder::NonEmptyStringValueParser, value_parser};

/// Whether and how claim checks are followed. It is part of [`sqs::Config`](crate::sqs::Config).
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Claim checks")]
#[group(skip)]
pub struct Config {
    /// Bucket of the bodies that are too large for the queue; unset: a message that refers to one
    /// is rejected
    #[arg(long, env = "CLAIM_CHECK_BUCKET", value_parser = NonEmptyStringValueParser::new())]
    pub claim_check_bucket: Option<String>,

    /// Largest body to fetch, in bytes
    #[arg(long, env = "CLAIM_CHECK_MAX_BYTES", default_value_t = 8_388_608,
        value_parser = value_parser!(u32).range(1..=1_073_741_824))]
    pub claim_check_max_bytes: u32,

    /// Most memory that bodies take at a time, in bytes; at least `CLAIM_CHECK_MAX_BYTES`
    #[arg(long, env = "CLAIM_CHECK_MEMORY_BYTES", default_value_t = 67_108_864,
        value_parser = value_parser!(u32).range(1..))]
    pub claim_check_memory_bytes: u32,

    /// Delete a body once its message was acknowledged and deleted (not in a Lambda)
    #[arg(long, env = "CLAIM_CHECK_DELETE")]
    pub claim_check_delete: bool,
}

impl Config {
    /// What one setting's range cannot say.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let (largest, memory) = (self.claim_check_max_bytes, self.claim_check_memory_bytes);
        ensure!(
            largest <= memory,
            "CLAIM_CHECK_MEMORY_BYTES is {memory} and must be at least CLAIM_CHECK_MAX_BYTES, which \
             is {largest}: the largest body needs room"
        );
        Ok(())
    }
}
