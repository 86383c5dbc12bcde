//! A transaction: some statements on one connection.
//!
//! sqlx has a type for it; to cancel its beginning can leave a transaction open on a connection that
//! others use afterwards. This one is rolled back, or its connection closed, wherever it was left.

use sqlx::{AssertSqlSafe, Error, Execute, Postgres, raw_sql};

use super::connection::{Connection, Results};

/// A transaction that was begun. Dropping it rolls it back.
#[derive(Debug)]
pub(crate) struct Transaction(Connection);

impl Transaction {
    pub(super) async fn begin(mut connection: Connection, sql: String) -> Result<Self, Error> {
        connection.in_transaction = true;
        connection.run(raw_sql(AssertSqlSafe(sql))).await?;
        Ok(Self(connection))
    }

    /// Commits. If the answer is lost, it may have happened.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        self.end("COMMIT").await
    }

    /// Undoes everything.
    pub(crate) async fn rollback(self) -> Result<(), Error> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, sql: &'static str) -> Result<(), Error> {
        self.0.run(raw_sql(sql)).await?;
        self.0.in_transaction = false;
        Ok(())
    }

    pub(super) async fn run<'q, E>(&mut self, query: E) -> Result<Results, Error>
    where
        E: Execute<'q, Postgres> + 'q,
    {
        self.0.run(query).await
    }
}
