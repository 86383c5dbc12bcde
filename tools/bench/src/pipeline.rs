//! From a queue of commands to facts on other queues: a database with durable commits, queues that cost
//! little, and our functions on both, as they are deployed.

use std::time::Duration;

use anyhow::Result;
use local_stack::{Environment, TestDatabase, create_tables};

use crate::functions::Functions;
use crate::part::Run;
use crate::postgresql::PostgreSql;
use crate::queues::Queues;
use crate::servers::Server;

/// A bucket that no message here needs.
const CLAIM_CHECKS: &str = "bench-claim-checks";

pub(crate) struct Pipeline {
    pub(crate) functions: Functions,
    pub(crate) queues: Queues,
    pub(crate) postgresql: PostgreSql,
    pub(crate) database: TestDatabase,
}

/// Processor time, by who has spent it.
pub(crate) struct Spent {
    /// The functions or peers that were asked for.
    pub(crate) own: Duration,
    pub(crate) postgresql: Duration,
    pub(crate) queues: Duration,
}

impl Spent {
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            own: self.own.saturating_sub(before.own),
            postgresql: self.postgresql.saturating_sub(before.postgresql),
            queues: self.queues.saturating_sub(before.queues),
        }
    }
}

impl Pipeline {
    /// With all servers and tables, an empty database, and no function yet.
    pub(crate) async fn start(run: &Run) -> Result<Self> {
        let functions = Functions::of(&run.bin_dir)?;
        create_tables(&functions.aws).await?;
        let postgresql = PostgreSql::start(&run.folder).await?;
        Ok(Self {
            queues: Queues::start(&functions).await?,
            database: postgresql.database().await?,
            postgresql,
            functions,
        })
    }

    /// What every function and peer finds the servers by.
    pub(crate) fn environment(&self) -> Environment {
        self.functions.environment().with("AWS_ENDPOINT_URL_SQS", &self.queues.endpoint)
    }

    /// A consumer of commands from this queue.
    pub(crate) async fn worker(&self, name: &str, queue: &str) -> Result<Server> {
        self.functions.start("command-worker", name, &self.worker_environment(queue)).await
    }

    pub(crate) fn worker_environment(&self, queue: &str) -> Environment {
        self.environment()
            .with_secret("DATABASE_URL", &self.database.writer_url)
            .with("QUEUE_URL", queue)
            .with("CLAIM_CHECK_BUCKET", CLAIM_CHECKS)
    }

    /// A consumer on the same runtime that does nothing.
    pub(crate) async fn empty_worker(&self, queue: &str) -> Result<Server> {
        let environment = self.environment().with("QUEUE_URL", queue);
        self.functions.start_other("empty-worker", &environment).await
    }

    /// Publishes facts to these queues.
    pub(crate) async fn relay(&self, queues: &[&str]) -> Result<Server> {
        let environment = self
            .environment()
            .with_secret("DATABASE_URL", &self.database.relay_url)
            .with("FACT_QUEUE_URLS", queues.join(","));
        self.functions.start("outbox-relay", "outbox-relay", &environment).await
    }

    /// Writes the facts of this queue to the history.
    pub(crate) async fn projector(&self, queue: &str) -> Result<Server> {
        let environment = self.environment().with("QUEUE_URL", queue);
        self.functions.start("history-projector", "history-projector", &environment).await
    }

    /// What has been spent so far: by these, and by the servers.
    pub(crate) fn spent<'a>(&self, own: impl IntoIterator<Item = &'a Server>) -> Result<Spent> {
        let own = own.into_iter().map(Server::processor_time);
        Ok(Spent {
            own: own.sum::<Result<_>>()?,
            postgresql: self.postgresql.processor_time()?,
            queues: self.queues.processor_time()?,
        })
    }
}
