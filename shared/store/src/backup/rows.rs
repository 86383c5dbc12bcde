//! How many rows a table has, and a digest of them.
//!
//! The digest is the sum of a hash of each row as text, so the order of the rows does not matter, and
//! nothing is sorted. It finds what was lost, doubled or changed by a fault. It is no proof against
//! somebody who means to deceive: for that the manifest has the SHA-256 of the whole dump.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

/// What is in a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// How many rows.
    pub rows: i64,
    /// A digest of them.
    pub digest: String,
}

/// Counts the rows of a table whose name is quoted already.
pub(super) async fn count(connection: &mut PgConnection, quoted: &str) -> Result<Table> {
    // Names of tables cannot be parameters.
    let sql = format!(
        "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text
         FROM ONLY {quoted} AS t -- any tenant's"
    );
    let row = connection.fetch_one(AssertSqlSafe(sql)).await;
    let row = row.with_context(|| format!("counting the rows of {quoted}"))?;
    Ok(Table { rows: row.try_get(0)?, digest: row.try_get(1)? })
}

/// The tables of the schema with their quoted names, in their order.
pub(super) async fn tables(connection: &mut PgConnection) -> Result<Vec<(String, String)>> {
    let tables = sqlx::query!(
        r#"
        -- no tenant's
        SELECT relname::text AS "name!", format('%I.%I', nspname, relname) AS "quoted!"
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = 'public' AND relkind IN ('r', 'p')
        ORDER BY relname
        "#
    );
    let tables = tables.fetch_all(connection).await.context("listing the tables")?;
    Ok(tables.into_iter().map(|table| (table.name, table.quoted)).collect())
}
