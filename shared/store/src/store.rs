//! The store: a pool of connections to PostgreSQL and, perhaps, a cache.

use std::str::FromStr as _;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::cache::{Cache, Follower, Local};
use crate::config::{Config, LocalConfig};
use crate::error::{ReadError, read_only_server};
use crate::redis::Redis;

/// A connection that was idle for longer is checked before it is used: it may have been cut off.
const IDLE: Duration = Duration::from_secs(1);

/// Access to tasks. Clones share one pool and one cache.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pool: PgPool,
    pub(crate) cache: Cache,
    pub(crate) redis: Option<Redis>,
    pub(crate) local: Local,
}

impl Store {
    /// Makes a store that connects when it is first used: a database that is away now may be back
    /// by then.
    ///
    /// # Errors
    /// When a URL of the configuration is none; the error names the variable, not its value.
    pub fn connect(config: &Config) -> anyhow::Result<Self> {
        Self::with(config, options(config)?)
    }

    /// Makes a store for a function that lists tasks. Each statement is planned for the values at
    /// hand, for a plan that had to serve every filter would serve none.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn for_lists(config: &Config) -> anyhow::Result<Self> {
        Self::with(config, options(config)?.options([("plan_cache_mode", "force_custom_plan")]))
    }

    fn with(config: &Config, options: PgConnectOptions) -> anyhow::Result<Self> {
        let pool = PgPoolOptions::new()
            .max_connections(config.database_max_connections)
            .acquire_timeout(config.acquire_timeout())
            // A check costs a round trip: busy connections are found dead by their next use.
            .test_before_acquire(false)
            .before_acquire(|connection, metadata| {
                Box::pin(async move {
                    if metadata.idle_for > IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        let redis = Redis::connect(config)?;
        Ok(Self { pool, cache: Cache::new(config, redis.clone()), redis, local: Local::new(0) })
    }

    /// Keeps tasks in this process, too, before Redis, for as long as the follower runs. Without a
    /// Redis, or with no entries, there is nothing to follow.
    #[must_use]
    pub fn keeping(self, config: &LocalConfig) -> (Self, Option<Follower>) {
        let redis = self.redis.as_ref().filter(|_| config.local_cache_entries > 0);
        let Some(redis) = redis else { return (self, None) };
        let local = Local::new(config.local_cache_entries);
        let follower = Follower::new(redis, local.clone());
        (Self { local, ..self }, Some(follower))
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
                r#"SELECT current_setting('transaction_read_only')::boolean AS "read_only!""#
            );
            if read_only.fetch_one(&pool).await? {
                return Err(read_only_server().into());
            }
            Ok(())
        }
    }
}

fn options(config: &Config) -> anyhow::Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(config.database_url.expose_secret())
        .ok()
        .context("DATABASE_URL: expected postgres://user:password@host:port/database")?
        .application_name(env!("CARGO_PKG_NAME"))
        .options([
            ("statement_timeout", config.database_statement_timeout_ms.to_string()),
            ("idle_in_transaction_session_timeout", "10000".to_owned()),
        ]);
    Ok(options)
}
