//! A transaction: some statements on one connection.
//!
//! sqlx has a type for it; to cancel its beginning can leave a transaction open on a connection that
//! others use afterwards. This one is rolled back, or its connection closed, wherever it was left.

use sqlx::{AssertSqlSafe, Error, Execute, Postgres, Row as _, raw_sql};

use super::connection::{Connection, Results};
use crate::error::standby_server;

/// A transaction that was begun. Dropping it rolls it back.
#[derive(Debug)]
pub(crate) struct Transaction(Connection);

impl Transaction {
    pub(super) async fn begin(mut connection: Connection, sql: String) -> Result<Self, Error> {
        connection.in_transaction = true;
        let results = connection.run(raw_sql(AssertSqlSafe(sql))).await?;
        // A row says whether the server is a standby, and comes only where that was requested.
        let is_standby = results.iter().find_map(|result| result.as_ref().right());
        match is_standby.map(|row| row.try_get(0)).transpose()? {
            Some(true) => Err(standby_server()),
            _ => Ok(Self(connection)),
        }
    }

    /// The connection, for what runs in a transaction or by itself.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.0
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
