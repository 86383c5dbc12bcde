//! Redis's invalidations of changed entries (client-side caching, broadcasting), for the copies in
//! this process.
//!
//! A connection of its own receives each key that changes. Every second it checks that the server
//! answers and is still the primary, and copies are used for two seconds from the last check that was
//! answered: a connection that hangs half open, a fail-over, or a process that was stopped for a while
//! costs no more than that. Reads meanwhile go to Redis. The cache that the client library
//! offers is not used: it may keep an answer that was on its way when its invalidation came.
//!
//! In a cluster nothing is kept in this process: each node reports its own keys only, nodes come and
//! go, and ElastiCache Serverless, which is a cluster to its clients, reports no keys at all.

use std::time::Duration;

use redis::aio::{MultiplexedConnection, SendError};
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ProtocolVersion, PushInfo, PushKind,
    RedisResult, Value,
};
use redis_client::{Mode, Redis, mode};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{Local, TASK_KEYS};

/// How often the server is checked, and how long it may take to answer.
const PERIOD: Duration = Duration::from_secs(1);
/// For how long an answer is good.
const TRUST: Duration = Duration::from_secs(2);
/// The pause before connecting again: doubled each time, with full jitter.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Keeps the copies of tasks in this process right. While it does not [run](Self::run), none are
/// kept.
#[derive(Clone)]
pub struct InvalidationListener {
    servers: Vec<ConnectionInfo>,
    local: Local,
}

impl InvalidationListener {
    pub(crate) fn new(redis: &Redis, local: Local) -> Self {
        let servers = redis.nodes().iter().map(|server| {
            let settings = server.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
            server.clone().set_redis_settings(settings)
        });
        Self { servers: servers.collect(), local }
    }

    /// Listens until `stop`. While Redis is unavailable it tries again, after 5 seconds at most.
    ///
    /// # Errors
    /// Never: it is a part of a service like others.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        stop.run_until_cancelled(self.listen_on()).await;
        self.local.distrust();
        Ok(())
    }

    async fn listen_on(&self) {
        let mut pause = PAUSE;
        for server in self.servers.iter().cycle() {
            let begun = Instant::now();
            match self.listen(server).await {
                Ok(Mode::Cluster) => {
                    tracing::info!("Redis is a cluster: no tasks are kept in this process");
                    // The service takes a part that ends for one that failed.
                    std::future::pending::<()>().await;
                }
                Ok(Mode::Single) => {}
                Err(error) => {
                    let cause = format!("{:?}", error.kind());
                    tracing::warn!(
                        cause,
                        "Redis's invalidations do not arrive; keeping no tasks in this process"
                    );
                }
            }
            self.local.distrust();
            pause =
                if begun.elapsed() > LONGEST_PAUSE { PAUSE } else { LONGEST_PAUSE.min(pause * 2) };
            sleep(rand::random_range(Duration::ZERO..pause)).await;
        }
    }

    /// Listens until the connection breaks or the server is not the primary any more. Returns if it is
    /// one of a cluster.
    async fn listen(&self, server: &ConnectionInfo) -> RedisResult<Mode> {
        let mut connection = self.connect(server).await?;
        if mode(&mut connection).await? == Mode::Cluster {
            return Ok(Mode::Cluster);
        }
        redis::cmd("CLIENT")
            .arg(&["TRACKING", "ON", "BCAST", "PREFIX", TASK_KEYS])
            .exec_async(&mut connection)
            .await?;
        // What was read before may have changed unnoticed.
        self.local.clear();
        loop {
            let checked = Instant::now();
            mode(&mut connection).await?;
            self.local.trust_until(checked + TRUST);
            sleep(PERIOD).await;
        }
    }

    async fn connect(&self, server: &ConnectionInfo) -> RedisResult<MultiplexedConnection> {
        let local = self.local.clone();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PERIOD))
            .set_response_timeout(Some(PERIOD))
            // In the connection's own task: what comes before an answer is dealt with before it.
            .set_push_sender(move |push| {
                invalidate(&local, &push);
                Ok::<_, SendError>(())
            });
        let client = Client::open(server.clone())?;
        client.get_multiplexed_async_connection_with_config(&config).await
    }
}

impl std::fmt::Debug for InvalidationListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvalidationListener").field("local", &self.local).finish_non_exhaustive()
    }
}

/// An invalidation names keys, or none when all are gone.
fn invalidate(local: &Local, push: &PushInfo) {
    match (&push.kind, push.data.first()) {
        (PushKind::Invalidate, Some(Value::Array(keys))) => {
            for key in keys {
                if let Value::BulkString(key) = key {
                    local.remove(&String::from_utf8_lossy(key));
                }
            }
        }
        (PushKind::Invalidate, _) => local.clear(),
        (PushKind::Disconnection, _) => local.distrust(),
        _ => {}
    }
}
