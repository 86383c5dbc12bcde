//! What connecting needs, from the environment.

use std::time::Duration;

use clap::{ArgAction, Args, value_parser};

use crate::database_url::DatabaseUrl;

/// How to reach PostgreSQL and Redis, and how long to wait for them.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Store")]
#[group(skip)]
pub struct Config {
    /// Where PostgreSQL is.
    #[command(flatten)]
    pub database: DatabaseUrl,

    /// Connections to PostgreSQL, at most
    #[arg(long, env, default_value_t = 8, value_parser = value_parser!(u32).range(1..=100))]
    pub database_max_connections: u32,

    /// Whether the URL leads to a pooler that gives out server connections for single transactions
    /// (PgBouncer's `pool_mode = transaction`, RDS Proxy): ARCHITECTURE.md, Poolers
    #[arg(long, env, default_value_t = false, action = ArgAction::Set)]
    pub database_transaction_pooling: bool,

    /// How long one statement may run, in milliseconds
    #[arg(long, env, default_value_t = 5_000, value_parser = value_parser!(u64).range(100..=60_000))]
    pub database_statement_timeout_ms: u64,

    /// How long to wait for a free connection, in milliseconds
    #[arg(long, env, default_value_t = 5_000, value_parser = value_parser!(u64).range(100..=60_000))]
    pub database_acquire_timeout_ms: u64,

    /// Where Redis is.
    #[command(flatten)]
    pub redis: redis_client::Config,

    /// How long a copy of a task or of a page may be used, in seconds: the bound on how old a read can
    /// be, whatever becomes of Redis. All functions must have the same
    #[arg(long, env, default_value_t = 10, value_parser = value_parser!(u64).range(1..=86_400))]
    pub cache_ttl_seconds: u64,
}

/// What of Redis is kept in this process, too. Flatten it into the configuration of a function that
/// reads one task at a time.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Store")]
#[group(skip)]
pub struct LocalConfig {
    /// Tasks that a pod keeps in its own memory, at most; one of more than 2 KiB counts as several.
    /// With 0, and in a Lambda, it keeps none
    #[arg(long, env, default_value_t = 10_000, value_parser = value_parser!(u32).range(0..=1_000_000))]
    pub local_cache_entries: u32,
}

/// How to reach PostgreSQL as the owner of the schema.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Store")]
pub struct Owner {
    /// Where PostgreSQL is; the user must be allowed to create roles and tables.
    #[command(flatten)]
    pub database: DatabaseUrl,

    /// How long a migration waits for a lock, with everybody else behind it, before it lets them go on
    /// and tries again, in milliseconds
    #[arg(long, env, default_value_t = 3_000, value_parser = value_parser!(u64).range(10..=60_000))]
    pub migration_lock_timeout_ms: u64,

    /// How long to wait for another that migrates this database, in seconds
    #[arg(long, env, default_value_t = 600, value_parser = value_parser!(u64).range(0..=86_400))]
    pub migration_wait_seconds: u64,

    /// How long PostgreSQL may be silent, or without the session, before a migration is given up, in
    /// seconds. A statement may take longer
    #[arg(long, env, default_value_t = 30, value_parser = value_parser!(u64).range(1..=3_600))]
    pub migration_silence_seconds: u64,
}

impl Owner {
    /// With the defaults, for a database that nobody else uses.
    pub(crate) fn of(database: DatabaseUrl) -> Self {
        Self {
            database,
            migration_lock_timeout_ms: 3_000,
            migration_wait_seconds: 600,
            migration_silence_seconds: 30,
        }
    }

    pub(crate) fn lock_timeout(&self) -> Duration {
        Duration::from_millis(self.migration_lock_timeout_ms)
    }

    pub(crate) fn wait(&self) -> Duration {
        Duration::from_secs(self.migration_wait_seconds)
    }

    pub(crate) fn silence(&self) -> Duration {
        Duration::from_secs(self.migration_silence_seconds)
    }
}

impl Config {
    pub(crate) fn acquire_timeout(&self) -> Duration {
        Duration::from_millis(self.database_acquire_timeout_ms)
    }

    pub(crate) fn statement_timeout(&self) -> Duration {
        Duration::from_millis(self.database_statement_timeout_ms)
    }

    pub(crate) fn cache_ttl(&self) -> Duration {
        Duration::from_secs(self.cache_ttl_seconds)
    }
}
