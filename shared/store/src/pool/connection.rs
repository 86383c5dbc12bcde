//! One connection while it is used, and what becomes of it afterwards.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use sqlx::error::BoxDynError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow, PgStatement};
use sqlx::{Either, Error, Execute, Executor as _, Postgres, SqlStr};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::generation::Generation;
use super::usage::InUse;
use super::{CHECK_TIMEOUT, Pool, Sessions, late};
use crate::error::is_of_server;

/// What a statement gives: rows, and how many it changed.
pub(super) type Results = Vec<Either<PgQueryResult, PgRow>>;

/// A connection that belongs to one user. Dropping it gives it back, if nothing is wrong with it.
#[derive(Debug)]
pub(crate) struct Connection {
    /// `None` once it is closed or given back.
    inner: Option<PoolConnection<Postgres>>,
    deadline: Duration,
    /// Whether statements are prepared once and kept.
    prepares: bool,
    generation: Arc<Generation>,
    taken: Instant,
    /// Whether a transaction was begun and has not ended.
    pub(super) in_transaction: bool,
    _in_use: InUse,
}

impl Connection {
    pub(super) fn of(pool: &Pool, inner: PoolConnection<Postgres>) -> Self {
        Self {
            inner: Some(inner),
            deadline: pool.0.deadline,
            prepares: pool.0.sessions == Sessions::Own,
            generation: Arc::clone(&pool.0.generation),
            taken: Instant::now(),
            in_transaction: false,
            _in_use: pool.0.usage.taken(),
        }
    }

    /// Runs a statement to its end. All that it gives is collected, so that one deadline is for all.
    pub(super) async fn run<'q, E>(&mut self, query: E) -> Result<Results, Error>
    where
        E: Execute<'q, Postgres> + 'q,
    {
        let connection = self.inner.as_mut().ok_or(Error::WorkerCrashed)?;
        let results = if self.prepares {
            connection.fetch_many(query).try_collect()
        } else {
            connection.fetch_many(Unnamed(query)).try_collect()
        };
        let results = timeout(self.deadline, results).await.map_err(late).flatten();
        if results.as_ref().is_err_and(is_of_server) {
            self.generation.renew(self.taken);
            self.close();
        }
        results
    }

    /// Closes it without ending its session, since the server may not answer, and makes room for another.
    fn close(&mut self) {
        if let Some(connection) = self.inner.take() {
            drop(connection.detach());
        }
    }
}

/// A statement that is prepared for this once: a name would be that of a session which others use.
struct Unnamed<E>(E);

impl<'q, E: Execute<'q, Postgres>> Execute<'q, Postgres> for Unnamed<E> {
    fn sql(self) -> SqlStr {
        self.0.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.0.statement()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.0.take_arguments()
    }

    fn persistent(&self) -> bool {
        false
    }
}

impl Drop for Connection {
    /// Somebody who was dropped while a statement ran leaves its answer to be read, or a transaction
    /// to be rolled back. That takes a moment; what takes longer ends with the connection.
    fn drop(&mut self) {
        let Some(mut connection) = self.inner.take() else { return };
        let Ok(runtime) = Handle::try_current() else {
            drop(connection.detach());
            return;
        };
        let in_transaction = self.in_transaction;
        runtime.spawn(async move {
            let rolled_back = async {
                if in_transaction { connection.execute("ROLLBACK").await.is_ok() } else { true }
            };
            match timeout(CHECK_TIMEOUT, rolled_back).await {
                Ok(true) => {
                    // sqlx pings it first; dropping that future closes the connection.
                    let _ = timeout(CHECK_TIMEOUT, connection.return_to_pool()).await;
                }
                _ => drop(connection.detach()),
            }
        });
    }
}
