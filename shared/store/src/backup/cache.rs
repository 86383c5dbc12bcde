//! The cache after a restore: it may hold later versions than the database, which would win.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use redis_client::Redis;
use tokio::time::sleep;

/// How often it is tried, with a second between.
const ATTEMPTS: u32 = 10;

/// Where the cache is.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub struct CacheConfig {
    /// Where Redis is.
    #[command(flatten)]
    pub redis: redis_client::Config,
}

/// Removes everything from Redis, which task-app has for itself: cached tasks and pages, and the counts
/// of rate limits. Returns whether there is a Redis.
///
/// # Errors
/// When it does not answer.
pub async fn empty_cache(config: &CacheConfig) -> Result<bool> {
    let Some(redis) = Redis::connect(&config.redis).await? else { return Ok(false) };
    for _ in 0..ATTEMPTS {
        let mut command = redis::cmd("FLUSHDB");
        command.arg("ASYNC");
        if redis.run::<()>("", command).await.is_some() {
            return Ok(true);
        }
        sleep(Duration::from_secs(1)).await;
    }
    bail!("Redis does not answer")
}
