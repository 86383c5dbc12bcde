//! What connecting needs, from the environment.

use std::time::Duration;

use clap::{Args, value_parser};
use secrecy::SecretString;
use secrets::SecretArn;

/// How to reach Redis, and how long to wait for it. Flatten it into a function's configuration.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct Config {
    /// Redis, as `rediss://user:password@host:port` (`redis://` only on this machine); of a cluster,
    /// which is recognised, perhaps several nodes with a comma between; without it, or empty, nothing
    /// is cached and no rate is limited
    #[arg(long, env, hide_env_values = true)]
    pub redis_url: Option<SecretString>,

    /// ARN of a secret of AWS Secrets Manager with the `token` that `REDIS_URL` then has not
    #[arg(long, env, requires = "redis_url")]
    pub redis_secret_arn: Option<SecretArn>,

    /// How long to wait for Redis before doing without, in milliseconds
    #[arg(long, env, default_value_t = 100, value_parser = value_parser!(u64).range(1..=5_000))]
    pub redis_timeout_ms: u64,
}

impl Config {
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_millis(self.redis_timeout_ms)
    }
}
