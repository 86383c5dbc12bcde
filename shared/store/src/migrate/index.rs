//! Indexes that are built while others write: a migration of its own for each, without a transaction.
//!
//! Where such a build fails, PostgreSQL leaves an index that is kept up to date and never used, and
//! `IF NOT EXISTS` would take it for the one that is wanted. It is dropped before the next attempt.

use anyhow::Context as _;
use sqlx::migrate::Migration;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};

/// Drops what is left of an earlier attempt.
pub(super) async fn drop_invalid(
    connection: &mut PgConnection,
    migration: &Migration,
) -> anyhow::Result<()> {
    let version = migration.version;
    let name = name(migration.sql.as_str())
        .with_context(|| format!("version {version}: see CONTRIBUTING.md, Migrations"))?;
    let is_invalid = sqlx::query_scalar!(
        r#"
        -- no tenant's
        SELECT EXISTS (
            SELECT FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid
        ) AS "is_invalid!"
        "#,
        name,
    );
    if is_invalid.fetch_one(&mut *connection).await? {
        tracing::warn!(index = name, "dropping an index whose build had failed");
        let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {name}");
        connection.execute(AssertSqlSafe(drop)).await?;
    }
    Ok(())
}

/// The index that a migration without a transaction builds, if it is nothing but one statement for
/// that: `CREATE [UNIQUE] INDEX CONCURRENTLY IF NOT EXISTS name ON ...`.
pub(super) fn name(sql: &str) -> Option<&str> {
    let code = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
    let mut words = code.flat_map(str::split_whitespace).filter(|word| *word != "UNIQUE");
    let is_build = ["CREATE", "INDEX", "CONCURRENTLY", "IF", "NOT", "EXISTS"]
        .into_iter()
        .all(|expected| words.next() == Some(expected));
    let name = words.next()?;
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_one = sql.trim_end().strip_suffix(';').is_some_and(|sql| !sql.contains(';'));
    (is_build && is_plain && is_one).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MIGRATOR;

    /// Up to here migrations are released together, on empty tables; later ones find them full.
    const LAST_OF_THE_FIRST_RELEASE: i64 = 10;

    #[test]
    fn only_the_build_of_one_index_has_a_name() {
        let build =
            "-- no-transaction\n-- Why.\nCREATE INDEX CONCURRENTLY IF NOT EXISTS by_x\nON t (x);\n";
        assert_eq!(name(build), Some("by_x"));
        assert_eq!(name(&build.replace("CREATE", "CREATE UNIQUE")), Some("by_x"));
        for (from, to) in [
            ("IF NOT EXISTS ", ""),
            ("CONCURRENTLY ", ""),
            ("(x);", "(x); SELECT 1;"),
            ("by_x", "\"By x\""),
        ] {
            assert_eq!(name(&build.replace(from, to)), None, "{to}");
        }
    }

    #[test]
    fn migrations_keep_the_rules_of_contributing() {
        for migration in MIGRATOR.iter() {
            let (version, sql) = (migration.version, migration.sql.as_str());
            if migration.no_tx {
                assert!(name(sql).is_some(), "{version}: not the build of one index");
                continue;
            }
            assert!(!sql.contains("CONCURRENTLY"), "{version}: needs `-- no-transaction`");
            if version > LAST_OF_THE_FIRST_RELEASE {
                assert_eq!(
                    blocking_index(sql),
                    None,
                    "{version}: blocks writers while it is built"
                );
            }
        }
    }

    /// A table that a statement builds an index on, and that the same migration did not make.
    fn blocking_index(sql: &str) -> Option<&str> {
        let builds = sql.split(';').filter(|statement| statement.contains("INDEX"));
        let tables = builds
            .filter_map(|build| build.split_whitespace().skip_while(|word| *word != "ON").nth(1));
        tables.into_iter().find(|table| !sql.contains(&format!("CREATE TABLE {table} ")))
    }

    #[test]
    fn an_index_on_a_table_of_before_blocks() {
        assert_eq!(blocking_index("CREATE INDEX by_x\nON t (x);"), Some("t"));
        assert_eq!(blocking_index("CREATE TABLE t (x int);\nCREATE INDEX by_x ON t (x);"), None);
    }
}
