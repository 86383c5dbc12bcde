//! Pages of lists in Redis, each under the generation of its tenant's tasks.
//!
//! A generation is a random value that every write replaces; a page says of which one it is, and is
//! good while that is the tenant's. A reader learns the generation before it asks PostgreSQL, so what
//! it read before a write can never pass for what is there after it. A number that counts up would
//! not do: Redis may forget it and begin anew. Where Redis misses a write, pages go after
//! `CACHE_TTL_SECONDS` at the latest, and as a rule when the relay repeats it.

use domain::TenantId;
use redis::Pipeline;
use sqlx::types::Uuid;

use super::{Cache, millis};

/// Larger pages are not kept.
const MOST_BYTES: usize = 256 * 1024;

/// Generations of tenants that nobody reads or writes any more go after a day, in milliseconds.
const GENERATION_MS: u64 = 24 * 60 * 60 * 1_000;

/// Where a page may be put, and for which generation. `digest` names the list, the place in it and
/// the length.
pub(crate) struct PageKey {
    key: String,
    generation: String,
}

impl Cache {
    /// The page if Redis has it, and else where it may be put; nothing of both without Redis.
    pub(crate) async fn page(
        &self,
        tenant: &TenantId,
        digest: &str,
    ) -> (Option<Vec<u8>>, Option<PageKey>) {
        let Some(redis) = &self.redis else { return (None, None) };
        let key = format!("page:v1:{tenant}:{digest}");
        let mut pipe = redis::pipe();
        advance(&mut pipe, tenant).arg("NX").ignore();
        pipe.get(generation_key(tenant)).get(&key);
        let held: Option<(String, Option<Vec<u8>>)> =
            redis.run(async |connection| pipe.query_async(connection).await).await;
        let Some((generation, page)) = held else { return (None, None) };
        let page = page.and_then(|page| Some(page.strip_prefix(generation.as_bytes())?.to_vec()));
        (page, Some(PageKey { key, generation }))
    }

    pub(crate) async fn put_page(&self, at: PageKey, json: &[u8]) {
        let Some(redis) = self.redis.as_ref().filter(|_| json.len() <= MOST_BYTES) else { return };
        let page = [at.generation.as_bytes(), json].concat();
        let mut command = redis::cmd("SET");
        command.arg(at.key).arg(page).arg("PX").arg(millis(self.ttl));
        let _: Option<()> =
            redis.run(async |connection| command.query_async(connection).await).await;
    }
}

/// Begins a new generation of a tenant's pages, in the same message as the write that ends the old.
pub(super) fn advance<'a>(pipe: &'a mut Pipeline, tenant: &TenantId) -> &'a mut Pipeline {
    pipe.cmd("SET").arg(generation_key(tenant)).arg(Uuid::new_v4().to_string());
    pipe.arg("PX").arg(GENERATION_MS)
}

fn generation_key(tenant: &TenantId) -> String {
    format!("list:v1:{tenant}")
}
