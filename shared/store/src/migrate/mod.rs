//! Schema migrations: append-only, run by the owner of the schema.
//!
//! A statement that changes a table waits for the transactions that use it, and everything else waits
//! behind it. So it waits a few seconds at most, lets the others go on, and tries again.

mod index;
mod letters;
mod watch;

use std::time::Duration;

use anyhow::{Context as _, bail};
use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio::time::{Instant, sleep, timeout};

use self::watch::Watch;
use crate::config::Owner;
use crate::error::{connecting, is_lock_timeout};

/// The migrations, compiled in.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// How long to wait for the database to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two attempts to get the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(500);
/// How often a migration is tried, with a pause as long as each wait for a lock.
const ATTEMPTS: u32 = 10;

/// Makes the owner's role, and lets the user act as it.
pub(crate) const OWNER: &str = include_str!("owner.sql");

/// Brings the schema of the database up to date; does nothing when it is. Several at
/// once wait for each other. The user must be allowed to create roles.
///
/// # Errors
/// When the database does not answer within half a minute or is lost in the middle, a migration fails
/// or does not get its locks (its changes are rolled back), another one migrates for too long, the
/// database has migrations that differ from these, or it is new and knows letters of ASCII only.
pub async fn migrate(owner: &Owner) -> anyhow::Result<()> {
    migrate_with(owner, &MIGRATOR).await
}

/// As [`migrate`], with other migrations: for tests of how they are run.
///
/// # Errors
/// As [`migrate`].
pub async fn migrate_with(owner: &Owner, migrations: &Migrator) -> anyhow::Result<()> {
    let options = owner.database.options().await?.application_name("migrate");
    let (mut connection, watch) = connect(options, owner).await?;
    watch.during(run_all(&mut connection, migrations, owner)).await?;
    let _ = timeout(CONNECT_TIMEOUT, connection.close()).await;
    Ok(())
}

async fn connect(
    options: PgConnectOptions,
    owner: &Owner,
) -> anyhow::Result<(PgConnection, Watch)> {
    let connect = async {
        let mut connection = options.connect().await.map_err(connecting)?;
        connection.execute(watch::SETTINGS).await?;
        let watch = Watch::of(&mut connection, options, owner.silence()).await?;
        Ok::<_, sqlx::Error>((connection, watch))
    };
    let connection = timeout(CONNECT_TIMEOUT, connect).await.map_err(anyhow::Error::from);
    connection
        .and_then(|connection| Ok(connection?))
        .context("connecting to the database that DATABASE_URL names")
}

async fn run_all(
    connection: &mut PgConnection,
    migrations: &Migrator,
    owner: &Owner,
) -> anyhow::Result<()> {
    lock(connection, owner.wait()).await?;
    letters::check(connection).await?;
    connection.execute(OWNER).await.context("preparing the role task_app_owner")?;
    for migration in migrations.iter() {
        run(connection, migrations, migration, owner.lock_timeout())
            .await
            .context("migrating the schema")?;
    }
    Ok(())
}

/// One at a time. It is retried, and not waited for: an index that is built
/// concurrently waits for every statement that began before, this one too.
async fn lock(connection: &mut PgConnection, wait: Duration) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut logged = None;
    loop {
        let is_ours = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock(hashtext('task-app migrations')) AS "is_ours!" -- no tenant's"#
        );
        if is_ours.fetch_one(&mut *connection).await? {
            return Ok(());
        }
        let holder = watch::holder(connection).await?;
        if begun.elapsed() >= wait {
            bail!(
                "{holder} is migrating this database and did not end within {wait:?}. If its process is \
                 gone, end the session with pg_terminate_backend, and run this again"
            );
        }
        if logged.as_ref() != Some(&holder) {
            tracing::info!(holder, "waiting for another that migrates this database");
            logged = Some(holder);
        }
        sleep(LOCK_PAUSE).await;
    }
}

/// Runs a migration unless it was run before.
async fn run(
    connection: &mut PgConnection,
    migrations: &Migrator,
    migration: &Migration,
    lock_timeout: Duration,
) -> anyhow::Result<()> {
    for _ in 0..ATTEMPTS {
        // An index that is built concurrently is in nobody's way while it waits.
        let wait = if migration.no_tx { 0 } else { lock_timeout.as_millis() };
        connection.execute(AssertSqlSafe(format!("SET lock_timeout = {wait}"))).await?;
        if migration.no_tx {
            index::drop_invalid(connection, migration).await?;
        }
        // `run_to` is the same for whatever a connection can be acquired from, and no `Send` then.
        match migrations.run_direct(Some(migration.version), connection, false).await {
            Err(error) if is_blocked(&error) => sleep(lock_timeout).await,
            result => return Ok(result?),
        }
    }
    bail!(
        "version {}: other transactions held a lock that it needs, {ATTEMPTS} times for {lock_timeout:?}. \
         Nothing of it was applied. Look for long transactions in pg_stat_activity, end them, and run \
         this again",
        migration.version
    )
}

fn is_blocked(error: &MigrateError) -> bool {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            is_lock_timeout(error)
        }
        _ => false,
    }
}
