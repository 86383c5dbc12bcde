//! The count, in Redis.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use domain::{Actor, TenantId};
use redis_client::Redis;
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::instruments::{ERRORS, INSTRUMENTS, LIMITED};
use crate::leases::{Leases, Next};
use crate::limit::{Class, Limit, RateLimitStatus, Whose};

/// The script says what it does.
const GCRA: &str = include_str!("gcra.lua");

/// The limits of all classes, and where requests are counted. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub struct RateLimits {
    read: ClassLimits,
    list: ClassLimits,
    write: ClassLimits,
    bulk: ClassLimits,
}

/// The limits of one class. Clones count together.
#[derive(Clone, Debug)]
pub struct ClassLimits(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    class: Class,
    limits: Vec<(Whose, Limit)>,
    redis: Option<Redis>,
    leases: Leases,
}

impl RateLimits {
    /// Limits that are counted in that Redis; without one, nothing is limited.
    #[must_use]
    pub fn new(redis: Option<&Redis>, config: &Config) -> Self {
        instruments::describe(INSTRUMENTS);
        let of = |class| {
            let (limits, redis) = (config.limits(class), redis.cloned());
            ClassLimits(Arc::new(Parts { class, limits, redis, leases: Leases::new() }))
        };
        Self {
            read: of(Class::Read),
            list: of(Class::List),
            write: of(Class::Write),
            bulk: of(Class::Bulk),
        }
    }

    /// The limits of a class.
    #[must_use]
    pub fn of(&self, class: Class) -> &ClassLimits {
        match class {
            Class::Read => &self.read,
            Class::List => &self.list,
            Class::Write => &self.write,
            Class::Bulk => &self.bulk,
        }
    }
}

impl ClassLimits {
    /// The class that is limited.
    #[must_use]
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// The tenant's limit, and then the caller's if it has one; none if the class is not limited.
    #[must_use]
    pub fn limits(&self) -> &[(Whose, Limit)] {
        &self.0.limits
    }

    /// Counts a request against the tenant's limit, and the caller's if there is one: the status of each.
    /// None if it is not limited: by the configuration, or because Redis is unavailable.
    pub async fn count(&self, tenant: &TenantId, caller: &Actor) -> Vec<RateLimitStatus> {
        let Parts { class, limits, redis, leases } = &*self.0;
        let Some(redis) = redis else { return Vec::new() };
        let Some((narrowest, _)) = limits.last() else { return Vec::new() };
        let together = match narrowest {
            Whose::Tenant => Cow::Borrowed(tenant.as_str()),
            // No tenant has a line break.
            Whose::Caller => Cow::Owned(format!("{tenant}\n{caller}")),
        };
        let renewal = match leases.next(&together, limits, Instant::now()) {
            Next::Counted(statuses) => return statuses,
            Next::Count(renewal) => renewal,
        };
        let keys: Vec<_> =
            limits.iter().map(|(whose, _)| key(*whose, tenant, caller, *class)).collect();
        let mut command = redis::cmd("EVAL");
        command.arg(GCRA).arg(keys.len()).arg(&keys).arg(renewal.size);
        for (_, limit) in limits {
            command.arg(limit.interval).arg(limit.burst);
        }
        // Boxed, so that requests that were counted in advance do not carry it.
        let counted: Option<Vec<u64>> = Box::pin(redis.run(tenant.as_str(), command)).await;
        let Some((taken, counted)) = counted.as_deref().and_then(<[_]>::split_first) else {
            metrics::counter!(ERRORS.name).increment(1);
            return Vec::new();
        };
        let statuses = limits.iter().zip(counted.chunks_exact(2)).map(|(limit, counted)| {
            let (allowed, room) = (counted.first() == Some(&1), counted.last().copied());
            if !allowed {
                let labels = [("class", class.as_str()), ("limit", limit.0.as_str())];
                metrics::counter!(LIMITED.name, &labels).increment(1);
            }
            RateLimitStatus::new(*limit, allowed, room.unwrap_or_default())
        });
        let taken = u32::try_from(*taken).unwrap_or(renewal.size);
        renewal.counted(taken, statuses.collect(), Instant::now())
    }
}

/// Its `v1` is the meaning of the value: another meaning needs another key. Both keys of a request are in one
/// slot of a cluster. A caller is known by a digest, for it may have any characters, and is nobody's business.
fn key(whose: Whose, tenant: &TenantId, caller: &Actor, class: Class) -> String {
    let key = format!("rate:v1:{}:{{{tenant}}}", class.as_str());
    match whose {
        Whose::Tenant => key,
        Whose::Caller => {
            format!("{key}:{}", hex::encode(Sha256::digest(caller.as_str())))
        }
    }
}
