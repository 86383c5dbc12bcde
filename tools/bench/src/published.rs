//! A database whose facts `outbox-relay` publishes while creates are written into it.

use std::time::Duration;

use anyhow::{Result, ensure};
use local_stack::TestDatabase;
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::{Instant, sleep};

use crate::functions::Functions;
use crate::part::Run;
use crate::postgresql::PostgreSql;
use crate::queues::Queues;
use crate::servers::Server;
use crate::writes::CREATES;
use crate::writes::writer::Writer;

/// Creates of a batch, and connections that write batches.
pub(crate) const BATCH: usize = 100;
pub(crate) const CONNECTIONS: usize = 4;
/// For the relay to publish what is left.
const PATIENCE: Duration = Duration::from_mins(10);
const POLL: Duration = Duration::from_millis(100);
/// The age in seconds of the oldest fact that is not published, 0 if there is none.
const LAG: &str =
    "SELECT coalesce(extract(EPOCH FROM clock_timestamp() - min(occurred_at)), 0)::float8
    FROM outbox WHERE NOT sent";

pub(crate) struct Published {
    pub(crate) writer: Writer,
    owner: PgConnection,
    _relay: Server,
    _queues: Queues,
    _database: TestDatabase,
}

impl Published {
    /// An empty database, and a relay that publishes to one FIFO queue.
    pub(crate) async fn start(
        run: &Run,
        functions: &Functions,
        postgresql: &PostgreSql,
    ) -> Result<Self> {
        let database = postgresql.database().await?;
        let queues = Queues::start(functions).await?;
        let environment = functions
            .environment()
            .with_secret("DATABASE_URL", &database.relay_url)
            .with("AWS_ENDPOINT_URL_SQS", &queues.endpoint)
            .with("FACT_QUEUE_URLS", queues.create("facts").await?);
        let relay = functions.start("outbox-relay", "outbox-relay", &environment).await?;
        let login = &database.writer_url;
        let writer = Writer::start(&run.bin_dir, login, CREATES, BATCH, CONNECTIONS).await?;
        let owner = PgConnection::connect(database.owner_url.expose_secret()).await?;
        Ok(Self { writer, owner, _relay: relay, _queues: queues, _database: database })
    }

    pub(crate) async fn lag(&mut self) -> Result<f64> {
        self.number(LAG).await
    }

    /// Seconds until nothing is left to publish.
    pub(crate) async fn caught_up(&mut self) -> Result<f64> {
        let begun = Instant::now();
        while self.number("SELECT count(*)::float8 FROM outbox").await? > 0.0 {
            ensure!(begun.elapsed() < PATIENCE, "facts are left in the outbox after {PATIENCE:?}");
            sleep(POLL).await;
        }
        Ok(begun.elapsed().as_secs_f64())
    }

    #[expect(clippy::disallowed_methods, reason = "it looks at what ships, and does not ship")]
    pub(crate) async fn number(&mut self, sql: &'static str) -> Result<f64> {
        Ok(sqlx::query_scalar(sql).fetch_one(&mut self.owner).await?)
    }

    pub(crate) async fn execute(&mut self, sql: &'static str) -> Result<()> {
        self.owner.execute(sql).await?;
        Ok(())
    }
}
