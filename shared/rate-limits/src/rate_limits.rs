//! The count, in Redis.

use domain::{Actor, TenantId};
use redis_client::Redis;
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::instruments::{ERRORS, INSTRUMENTS, LIMITED};
use crate::limit::{Class, RateLimitStatus, Whose};

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

    /// Counts a request against the tenant's limit, and the caller's if there is one: the status of each.
    /// None if it is not limited: by the configuration, or because Redis is unavailable.
    pub async fn count(
        &self,
        tenant: &TenantId,
        caller: &Actor,
        class: Class,
    ) -> Vec<RateLimitStatus> {
        let limits = self.config.limits(class);
        let Some(redis) = self.redis.as_ref().filter(|_| !limits.is_empty()) else {
            return Vec::new();
        };
        let mut command = redis::cmd("EVAL");
        command.arg(GCRA).arg(limits.len());
        for (whose, _) in &limits {
            command.arg(key(*whose, tenant, caller, class));
        }
        for (_, limit) in &limits {
            command.arg(limit.interval).arg(limit.burst);
        }
        let counted: Option<Vec<(bool, u64)>> = redis.run(tenant.as_str(), command).await;
        let Some(counted) = counted else {
            metrics::counter!(ERRORS.name).increment(1);
            return Vec::new();
        };
        let statuses = limits.into_iter().zip(counted);
        let statuses = statuses.map(|(limit, (allowed, room))| {
            if !allowed {
                let labels = [("class", class.as_str()), ("limit", limit.0.as_str())];
                metrics::counter!(LIMITED.name, &labels).increment(1);
            }
            RateLimitStatus::new(limit, allowed, room)
        });
        statuses.collect()
    }
}

/// Its `v1` is the meaning of the value: another meaning needs another key. Both keys of a request are in one
/// slot of a cluster. A caller is known by a digest, for it may have any characters, and is nobody's business.
fn key(whose: Whose, tenant: &TenantId, caller: &Actor, class: Class) -> String {
    let key = format!("rate:v1:{}:{{{tenant}}}", class.as_str());
    match whose {
        Whose::Tenant => key,
        Whose::Caller => {
            let digest = Sha256::digest(caller.as_str());
            let digits = digest.iter().map(|byte| format!("{byte:02x}"));
            digits.fold(key + ":", |key, digits| key + &digits)
        }
    }
}
