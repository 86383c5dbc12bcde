//! One moment of the database, which `pg_dump` dumps while its rows are counted.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};

use super::rows::Table;
use super::{catalog, connect, rows};
use crate::DatabaseUrl;
use crate::stored::StoredTime;

/// A transaction that sees one moment, and lets others see the same.
#[derive(Debug)]
pub struct Snapshot {
    connection: PgConnection,
    id: String,
    server_version: i32,
}

/// What the database held in that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// When the moment was, by the database's clock.
    #[serde(serialize_with = "domain::time::serialize")]
    pub taken_at: Timestamp,
    /// The database's name.
    pub database: String,
    /// The server's version, such as 150018.
    pub server_version: i32,
    /// The last migration.
    pub schema_version: i64,
    /// Each table with what is in it.
    pub tables: BTreeMap<String, Table>,
    /// The highest sequence number of a fact that was still in the outbox; 0 if none was.
    pub last_outbox_sequence: i64,
    /// The processed commands that the inbox knew.
    pub inbox: Inbox,
    /// Constraints, indexes, triggers, policies and rights.
    pub objects: Vec<String>,
    /// The roles that have rights.
    pub roles: Vec<String>,
}

/// When the commands were processed that the inbox knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbox {
    /// The first one.
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub oldest: Option<Timestamp>,
    /// The last one.
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub newest: Option<Timestamp>,
}

impl Snapshot {
    /// Begins it.
    ///
    /// # Errors
    /// When the database does not answer, or this user would not see all rows of all tables.
    pub async fn begin(database: &DatabaseUrl) -> Result<Self> {
        let mut connection = connect(database).await?;
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
        let unreadable = catalog::unreadable(&mut connection).await?;
        if !unreadable.is_empty() {
            bail!(
                "this user does not see all rows of {}: it must be a member of task_app_backup, which \
                 needs SELECT on each table, and a policy where row-level security is on",
                unreadable.join(", ")
            );
        }
        let begun = sqlx::query!(
            r#"
            -- no tenant's
            SELECT pg_export_snapshot() AS "id!",
                current_setting('server_version_num')::integer AS "server_version!"
            "#
        );
        let begun = begun.fetch_one(&mut connection).await.context("exporting a snapshot")?;
        Ok(Self { connection, id: begun.id, server_version: begun.server_version })
    }

    /// For `pg_dump --snapshot`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The server's version, such as 150018.
    #[must_use]
    pub fn server_version(&self) -> i32 {
        self.server_version
    }

    /// Counts everything. Reads each table once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn contents(&mut self) -> Result<Contents> {
        let connection = &mut self.connection;
        let mut tables = BTreeMap::new();
        for (name, quoted) in rows::tables(connection).await? {
            tables.insert(name, rows::count(connection, &quoted).await?);
        }
        let moment = sqlx::query!(
            r#"
            SELECT now() AS "taken_at!", current_database()::text AS "database!",
                coalesce((SELECT max(seq) FROM outbox), 0) AS "last_outbox_sequence!",
                coalesce((SELECT min(processed_at) FROM inbox), 'infinity') AS "oldest!: StoredTime",
                coalesce((SELECT max(processed_at) FROM inbox), 'infinity') AS "newest!: StoredTime"
                -- any tenant's
            "#
        );
        let moment = moment.fetch_one(&mut *connection).await.context("looking at the outbox")?;
        Ok(Contents {
            taken_at: moment.taken_at,
            database: moment.database,
            server_version: self.server_version,
            schema_version: schema_version(connection).await?,
            tables,
            last_outbox_sequence: moment.last_outbox_sequence,
            inbox: Inbox { oldest: moment.oldest.into(), newest: moment.newest.into() },
            objects: catalog::objects(connection).await?,
            roles: catalog::roles(connection).await?,
        })
    }

    /// Ends it. `pg_dump` must have begun.
    pub async fn end(self) {
        // What is left is closed with the process.
        let _ = self.connection.close().await;
    }
}

/// The last migration. `_sqlx_migrations` is no table of ours, so that no query of it is checked when
/// this is compiled.
pub(super) async fn schema_version(connection: &mut PgConnection) -> Result<i64> {
    use sqlx::Row as _;
    let sql = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success -- no tenant's";
    let row = connection.fetch_one(sql).await.context("looking at the migrations")?;
    Ok(row.try_get(0)?)
}
