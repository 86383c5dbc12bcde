//! Fills a database with tasks, and a command for each, as fast as it can.
//!
//! Indexes are made when the rows are there, which is a matter of minutes where keeping them up to date
//! would be one of hours. So they are denser than those that grew.

use anyhow::{Context as _, Result};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Connection as _, Executor as _, PgConnection};

const BEFORE: &str = "
    ALTER SYSTEM SET max_wal_size = '16GB';
    SELECT pg_reload_conf();
    SET synchronous_commit = off;
    SET maintenance_work_mem = '1GB';
    CREATE TEMPORARY TABLE dropped AS
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename IN ('tasks', 'inbox') AND indexname NOT LIKE '%_pkey'";
const DROP: &str = "DO $$
    DECLARE one record;
    BEGIN
        FOR one IN SELECT * FROM dropped LOOP EXECUTE format('DROP INDEX %I', one.indexname); END LOOP;
    END $$";
const MAKE: &str = "DO $$
    DECLARE one record;
    BEGIN
        FOR one IN SELECT * FROM dropped LOOP EXECUTE one.indexdef; END LOOP;
    END $$";
const AFTER: &str = "ALTER SYSTEM RESET max_wal_size";

/// The URL is an owner's, who is a superuser.
#[expect(clippy::disallowed_methods, reason = "it is compared, and not what ships")]
pub(super) async fn fill(url: &SecretString, tasks: i64) -> Result<()> {
    let mut owner = PgConnection::connect(url.expose_secret()).await?;
    for statement in BEFORE.split(';').chain([DROP]) {
        owner.execute(statement).await.context("before filling")?;
    }
    let insert = sqlx::query(include_str!("fill.sql")).bind(tasks);
    insert.execute(&mut owner).await.context("filling the tasks")?;
    owner.execute(include_str!("fill_inbox.sql")).await.context("filling the inbox")?;
    owner.execute(MAKE).await.context("making the indexes")?;
    for statement in ["VACUUM ANALYZE", AFTER, "SELECT pg_reload_conf()", "CHECKPOINT"] {
        owner.execute(statement).await.context("after filling")?;
    }
    Ok(owner.close().await?)
}
