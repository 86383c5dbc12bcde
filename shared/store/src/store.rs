//! The store: a pool of connections to PostgreSQL and, perhaps, a cache.

use std::sync::Arc;

use redis_client::Redis;
use tokio::try_join;

use crate::basis::Recent;
use crate::cache::{Cache, Counters, InvalidationListener, Local};
use crate::config::{Config, LocalConfig};
use crate::error::{ReadError, read_only_server};
use crate::instruments::INSTRUMENTS;
use crate::pool::{Plans, Pool};

/// Access to tasks. Clones share one pool and one cache.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: Pool,
    pub(crate) cache: Cache,
    pub(crate) redis: Option<Redis>,
    pub(crate) local: Local,
    pub(crate) reads: Arc<Counters>,
    pub(crate) recent: Arc<Recent>,
}

impl Store {
    /// Makes a store that connects when it is first used: a database that is unavailable now may be back
    /// by then.
    ///
    /// # Errors
    /// When a URL of the configuration is none, or a secret that it names cannot be read; the error
    /// names the variable, not its value.
    pub async fn connect(config: &Config) -> anyhow::Result<Self> {
        Self::with(config, Plans::Shared).await
    }

    /// Makes a store for a function that lists tasks. Each statement is planned for the values at
    /// hand, for a plan that had to serve every filter would serve none.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn for_lists(config: &Config) -> anyhow::Result<Self> {
        Self::with(config, Plans::Custom).await
    }

    /// Makes a store for a function that reaches rows by their keys, as all do that write. Each statement is
    /// planned once, and never to read a whole table, however small that is when it is planned.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn for_writes(config: &Config) -> anyhow::Result<Self> {
        Self::with(config, Plans::ByKey).await
    }

    async fn with(config: &Config, plans: Plans) -> anyhow::Result<Self> {
        instruments::describe(INSTRUMENTS);
        let (pool, redis) = try_join!(Pool::new(config, plans), Redis::connect(&config.redis))?;
        let (cache, local) = (Cache::new(config, redis.clone()), Local::new(0));
        let (reads, recent) = (Arc::new(Counters::new()), Arc::default());
        Ok(Self { pool, cache, redis, local, reads, recent })
    }

    /// Keeps tasks in this process, too, before Redis, for as long as the listener runs. Without a
    /// Redis, or with no entries, there is nothing to listen to.
    #[must_use]
    pub fn with_local_cache(self, config: &LocalConfig) -> (Self, Option<InvalidationListener>) {
        let redis = self.redis.as_ref().filter(|_| config.local_cache_entries > 0);
        let Some(redis) = redis else { return (self, None) };
        let local = Local::new(config.local_cache_entries);
        let listener = InvalidationListener::new(redis, local.clone());
        (Self { local, ..self }, Some(listener))
    }

    /// The Redis that the cache is in, to be shared; `None` if none is configured.
    #[must_use]
    pub fn redis(&self) -> Option<&Redis> {
        self.redis.as_ref()
    }

    /// Checks that PostgreSQL answers: enough for a function that only reads.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn ping(&self) -> impl Future<Output = Result<(), ReadError>> + use<> {
        let pool = self.pool.clone();
        async move {
            sqlx::query_scalar!("SELECT 1").fetch_one(&pool).await?;
            Ok(())
        }
    }

    /// Checks that PostgreSQL answers and takes writes: a server that was demoted to a standby
    /// answers and refuses them.
    ///
    /// # Errors
    /// When there is no answer, or the server is read-only.
    pub fn check_writable(&self) -> impl Future<Output = Result<(), ReadError>> + use<> {
        let pool = self.pool.clone();
        async move {
            let read_only = sqlx::query_scalar!(
                r#"SELECT current_setting('transaction_read_only')::boolean AS "read_only!" -- no tenant's"#
            );
            if read_only.fetch_one(&pool).await? {
                pool.renew();
                return Err(read_only_server().into());
            }
            Ok(())
        }
    }
}
