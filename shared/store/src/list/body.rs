//! A page as the JSON that is sent, from Redis or from PostgreSQL.

use bytes::Bytes;
use domain::TenantId;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest as _, Sha256};
use sqlx::types::Uuid;

use super::{Filter, Start};
use crate::cache::{AsOf, Source};
use crate::error::{ReadError, unwritable};
use crate::read::Freshness;
use crate::store::Store;

/// Some of a tenant's tasks, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub struct PageBody {
    /// The tasks as an array, in the order of the list.
    pub tasks: Box<RawValue>,
    /// The identifiers of tasks that belong on the page and cannot be read from the database.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Uuid>,
    /// Where the next page begins, if there is one.
    pub next: Option<Start>,
}

impl Store {
    /// What [`tasks`](Self::tasks) gives, as JSON, as recent as it must be, and where it came from.
    ///
    /// # Errors
    /// When it is not in the cache and PostgreSQL does not answer.
    pub async fn page(
        &self,
        tenant: &TenantId,
        filter: &Filter,
        start: Start,
        limit: u16,
        freshness: Freshness,
    ) -> Result<(PageBody, Source), ReadError> {
        let digest = digest(filter, &start, limit).map_err(unwritable)?;
        let (held, place) = self.cache.page(tenant, &digest, freshness.limit()).await;
        if let Some(page) = held.and_then(|json| serde_json::from_slice(&json).ok()) {
            self.reads.count(Source::Redis);
            return Ok((page, Source::Redis));
        }
        self.reads.count(Source::Database);
        let as_of = AsOf::now();
        let found = self.tasks(tenant, filter, start, limit).await?;
        let tasks = to_raw_value(&found.tasks).map_err(unwritable)?;
        let page = PageBody { tasks, unreadable: found.unreadable, next: found.next };
        if let Some(place) = place {
            let json = serde_json::to_vec(&page).map_err(unwritable)?;
            self.cache.put_page(tenant, place, as_of, &json).await;
        }
        Ok((page, Source::Database))
    }
}

/// Names the list, the place in it and the length: filters may be personal data, which a key must
/// not show.
fn digest(filter: &Filter, start: &Start, limit: u16) -> serde_json::Result<String> {
    let digest = Sha256::digest(serde_json::to_vec(&(filter, start, limit))?);
    Ok(format!("{:x}", Bytes::copy_from_slice(&digest)))
}
