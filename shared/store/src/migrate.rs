//! Schema migrations: append-only, run by the owner of the schema.

use std::time::Duration;

use anyhow::Context as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;

use crate::config::Owner;

/// The migrations, compiled in.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// How long to wait for the database to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Brings the schema of the database up to date; does nothing when it is. Several at
/// once wait for each other. The user must be allowed to create roles, once.
///
/// # Errors
/// When the database does not answer within half a minute, a migration fails (its changes are
/// rolled back) or the database has migrations that differ from these.
pub async fn migrate(owner: &Owner) -> anyhow::Result<()> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .connect_with(owner.database.options()?)
        .await
        .context("connecting to the database that DATABASE_URL names")?;
    MIGRATOR.run(&pool).await.context("migrating the schema")?;
    pool.close().await;
    Ok(())
}
