//! Pages of lists in Redis, each under the generation of its tenant's tasks.
//!
//! A generation is a random value that every change replaces; a page says of which one it is, and is
//! good while that is the tenant's. A reader gets the generation before it reads PostgreSQL, so what
//! it read before a change can never pass for what is there after it. A number that counts up would
//! not do: Redis may lose it and begin anew. Where Redis misses a change, pages are good until the
//! cache's TTL after PostgreSQL was read, and as a rule until the relay repeats it.

use std::time::Duration;

use domain::TenantId;
use sqlx::types::Uuid;

use super::{AsOf, Cache, millis};

/// The script says what it does.
const PUT_PAGE: &str = include_str!("put_page.lua");

/// Larger pages are not kept.
const MOST_BYTES: usize = 256 * 1024;

/// Generations of tenants that nobody reads or writes any more go after a day, in milliseconds.
pub(super) const GENERATION_MS: u64 = 24 * 60 * 60 * 1_000;

/// Where a page may be put, and for which generation. `digest` names the list, the place in it and
/// the length.
pub(crate) struct PageKey {
    key: String,
    generation: String,
}

/// The generation, and of the page: its generation, when PostgreSQL was read, and its JSON.
type Found = (String, (Option<String>, Option<u64>, Option<Vec<u8>>));

impl Cache {
    /// The page if Redis has it and it is no older than `limit`, and where it may be put; nothing of
    /// both without Redis.
    pub(crate) async fn page(
        &self,
        tenant: &TenantId,
        digest: &str,
        limit: Duration,
    ) -> (Option<Vec<u8>>, Option<PageKey>) {
        let Some(redis) = &self.redis else { return (None, None) };
        let key = format!("page:v2:{{{tenant}}}:{digest}");
        let mut pipe = redis::pipe();
        pipe.cmd("SET").arg(generation_key(tenant)).arg(Uuid::new_v4().to_string());
        pipe.arg("PX").arg(GENERATION_MS).arg("NX").ignore();
        pipe.get(generation_key(tenant)).hmget(&key, &["g", "t", "b"]);
        let found: Option<Found> = redis.run(tenant.as_str(), pipe).await;
        let Some((generation, (of, as_of, page))) = found else { return (None, None) };
        let left = |as_of| AsOf::from_millis(as_of).left(limit.min(self.ttl), AsOf::now());
        let is_good = of.as_ref() == Some(&generation) && as_of.and_then(left).is_some();
        (page.filter(|_| is_good), Some(PageKey { key, generation }))
    }

    /// Puts the page, for which PostgreSQL was read `as_of` then.
    pub(crate) async fn put_page(&self, tenant: &TenantId, at: PageKey, as_of: AsOf, json: &[u8]) {
        let Some(redis) = self.redis.as_ref().filter(|_| json.len() <= MOST_BYTES) else { return };
        let mut command = redis::cmd("EVAL");
        command.arg(PUT_PAGE).arg(1).arg(at.key);
        command.arg(at.generation).arg(as_of.as_millis()).arg(json).arg(millis(self.ttl));
        let _: Option<()> = redis.run(tenant.as_str(), command).await;
    }
}

pub(super) fn generation_key(tenant: &TenantId) -> String {
    format!("list:v2:{{{tenant}}}")
}
