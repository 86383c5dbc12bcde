//! The count, in Redis.

use domain::TenantId;
use redis_client::Redis;

use crate::config::Config;
use crate::instruments::{ERRORS, INSTRUMENTS, LIMITED};
use crate::limit::{Class, RateLimitStatus};

/// The script says what it does.
const GCRA: &str = include_str!("gcra.lua");

/// The limits, and where requests are counted. Clones share both.
#[derive(Clone, Debug)]
pub struct RateLimits {
    redis: Option<Redis>,
    config: Config,
}

impl RateLimits {
    /// Limits that are counted in that Redis; without one, nothing is limited.
    #[must_use]
    pub fn new(redis: Option<Redis>, config: Config) -> Self {
        instruments::describe(INSTRUMENTS);
        Self { redis, config }
    }

    /// Counts a request. `None` if it is not limited: by the configuration, or because Redis is unavailable.
    pub async fn count(&self, tenant: &TenantId, class: Class) -> Option<RateLimitStatus> {
        let (redis, limit) = (self.redis.as_ref()?, self.config.limit(class)?);
        let mut command = redis::cmd("EVAL");
        command.arg(GCRA).arg(1).arg(key(tenant, class)).arg(limit.interval).arg(limit.burst);
        let counted: Option<(bool, u64)> = redis.run(tenant.as_str(), command).await;
        let Some((allowed, room)) = counted else {
            metrics::counter!(ERRORS.name).increment(1);
            return None;
        };
        if !allowed {
            metrics::counter!(LIMITED.name, "class" => class.as_str()).increment(1);
        }
        Some(RateLimitStatus::new(limit, allowed, room))
    }
}

/// Its `v1` is the meaning of the value: another meaning needs another key.
fn key(tenant: &TenantId, class: Class) -> String {
    format!("rate:v1:{}:{{{tenant}}}", class.as_str())
}
