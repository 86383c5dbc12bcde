//! What sqlx's queries run on: a pool, for a single statement, a connection, or a transaction.

use futures::future::{BoxFuture, FutureExt as _, TryFutureExt as _, ready};
use futures::stream::{BoxStream, StreamExt as _, iter};
use sqlx::postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Error, Execute, Executor, Postgres, SqlStr};

use super::connection::Results;
use super::{Connection, Pool, Sessions, Transaction};

impl Pool {
    /// Runs a single statement. At a pooler it needs a transaction, or its preparation and its
    /// execution could meet different sessions.
    async fn run<'q, E>(&self, query: E) -> Result<Results, Error>
    where
        E: Execute<'q, Postgres> + 'q,
    {
        if self.0.sessions == Sessions::Own {
            return self.acquire().await?.run(query).await;
        }
        let mut transaction = self.begin().await?;
        let results = transaction.run(query).await?;
        transaction.commit().await?;
        Ok(results)
    }
}

macro_rules! executor {
    ($of:ty) => {
        impl<'c> Executor<'c> for $of {
            type Database = Postgres;

            fn fetch_many<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Postgres>,
            {
                let results = async move { self.run(query).await };
                results.map_ok(|results| iter(results).map(Ok)).try_flatten_stream().boxed()
            }

            fn fetch_optional<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Postgres>,
            {
                async move { Ok(self.run(query).await?.into_iter().find_map(Either::right)) }
                    .boxed()
            }

            fn prepare_with<'e>(
                self,
                _: SqlStr,
                _: &'e [PgTypeInfo],
            ) -> BoxFuture<'e, Result<PgStatement, Error>>
            where
                'c: 'e,
            {
                unused()
            }

            fn describe<'e>(self, _: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
            where
                'c: 'e,
            {
                unused()
            }
        }
    };
}

executor!(&'c Pool);
executor!(&'c mut Connection);
executor!(&'c mut Transaction);

/// The trait wants it; queries are described when they are compiled, and prepared as they run.
fn unused<'e, T: Send + 'e>() -> BoxFuture<'e, Result<T, Error>> {
    ready(Err(Error::Protocol("statements are prepared when they run".to_owned()))).boxed()
}
