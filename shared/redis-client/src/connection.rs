//! One connection to Redis that all share, made when it is first used and made anew when it is bad.
//!
//! A new connection resolves the name again, so after a fail-over it leads to the new
//! primary. It is made beside the requests: they wait for it no longer than for an answer, and it
//! goes on when they have given up. Whether the server is one of a cluster is read from the server,
//! for a wrong setting would turn everything off.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, Pipeline, RedisError,
    RedisFuture, RedisResult, ServerErrorKind, Value, from_redis_value,
};
use tokio::time::timeout;

/// How long it may take to connect to a server. Longer than a request waits: TLS takes several round
/// trips.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long it may take altogether: some of several servers may not answer.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How often a cluster's client follows a slot that moved, or waits for a cluster that is not ready,
/// and for how many milliseconds at most.
const CLUSTER_RETRIES: u32 = 3;
const CLUSTER_WAIT_MS: u64 = 50;

/// To a single server or to a cluster. Clones share it.
#[derive(Clone)]
pub(crate) enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

/// A connection that is made, or being made.
pub(crate) type Connecting = Shared<BoxFuture<'static, RedisResult<Connection>>>;

/// Makes the connection. Clones share it.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Inner>);

struct Inner {
    nodes: Vec<ConnectionInfo>,
    timeout: Duration,
    is_cluster: AtomicBool,
    is_renewing: AtomicBool,
    current: Mutex<Option<Connecting>>,
}

impl Connector {
    /// To the first of `nodes` that answers, and to the whole cluster if it is of one. Each answer
    /// is waited for as long as `timeout`.
    pub(crate) fn new(nodes: Vec<ConnectionInfo>, timeout: Duration) -> Self {
        Self(Arc::new(Inner {
            nodes,
            timeout,
            is_cluster: AtomicBool::new(false),
            is_renewing: AtomicBool::new(false),
            current: Mutex::new(None),
        }))
    }

    /// Whether the server was seen to be one of a cluster.
    pub(crate) fn is_cluster(&self) -> bool {
        self.0.is_cluster.load(Ordering::Relaxed)
    }

    /// The connection that there is, or else a new one.
    pub(crate) fn get(&self) -> Connecting {
        self.0.current().get_or_insert_with(|| self.connect()).clone()
    }

    fn connect(&self) -> Connecting {
        let inner = self.0.clone();
        let connecting = async move {
            let late = |_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
            timeout(CONNECT_LIMIT, inner.connect()).await.map_err(late)?
        };
        let connecting = connecting.boxed().shared();
        tokio::spawn(connecting.clone());
        connecting
    }

    /// The next request makes a new connection, unless that was done since this one was got.
    pub(crate) fn discard(&self, connecting: &Connecting) {
        self.0.current().take_if(|current| current.ptr_eq(connecting));
    }

    /// Makes a new connection in place of one that does not answer, unless one is being made. To a
    /// cluster, the old one is used meanwhile: its other nodes may answer.
    pub(crate) fn renew(&self) {
        let mut current = self.0.current();
        if !self.is_cluster() {
            current.take_if(|current| current.peek().is_some());
            return;
        }
        if !self.0.is_renewing.swap(true, Ordering::Relaxed) {
            let (inner, connecting) = (self.0.clone(), self.connect());
            tokio::spawn(async move {
                if connecting.clone().await.is_ok() {
                    *inner.current() = Some(connecting);
                }
                inner.is_renewing.store(false, Ordering::Relaxed);
            });
        }
    }

    /// A server that said so of a command is one of a cluster.
    pub(crate) fn set_cluster(&self) {
        self.0.set_cluster();
    }
}

impl Inner {
    fn current(&self) -> MutexGuard<'_, Option<Connecting>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> RedisResult<Connection> {
        if !self.is_cluster.load(Ordering::Relaxed) {
            let connection = self.connect_to_any().await?;
            if let Some(single) = connection {
                return Ok(Connection::Single(single));
            }
            self.set_cluster();
        }
        let client = ClusterClientBuilder::new(self.nodes.clone())
            .connection_timeout(CONNECT_TIMEOUT)
            .response_timeout(self.timeout)
            .retries(CLUSTER_RETRIES)
            .min_retry_wait(1)
            .max_retry_wait(CLUSTER_WAIT_MS)
            .build()?;
        client.get_async_connection().await.map(Connection::Cluster)
    }

    /// `None` for a cluster.
    async fn connect_to_any(&self) -> RedisResult<Option<MultiplexedConnection>> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(CONNECT_TIMEOUT));
        let mut failure = RedisError::from((ErrorKind::InvalidClientConfig, "no server is named"));
        for node in &self.nodes {
            match connect_to(node, &config).await {
                Ok((mut connection, Mode::Single)) => {
                    connection.set_response_timeout(self.timeout);
                    return Ok(Some(connection));
                }
                Ok((_, Mode::Cluster)) => return Ok(None),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn set_cluster(&self) {
        if !self.is_cluster.swap(true, Ordering::Relaxed) {
            tracing::info!("Redis is a cluster");
        }
    }
}

async fn connect_to(
    node: &ConnectionInfo,
    config: &AsyncConnectionConfig,
) -> RedisResult<(MultiplexedConnection, Mode)> {
    let client = Client::open(node.clone())?;
    let mut connection = client.get_multiplexed_async_connection_with_config(config).await?;
    let mode = mode(&mut connection).await?;
    Ok((connection, mode))
}

/// What a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A server of its own.
    Single,
    /// One of a cluster.
    Cluster,
}

/// Asks the server what it is.
///
/// # Errors
/// When it does not answer, or is not the primary: a replica takes no writes, and follows the
/// primary at a distance. It may have been the primary when the connection was made.
pub async fn mode(connection: &mut MultiplexedConnection) -> RedisResult<Mode> {
    let said = match redis::cmd("HELLO").query_async::<HashMap<String, Value>>(connection).await {
        Ok(said) => said,
        // Something that stands before Redis need not know the command.
        Err(error) if matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ResponseError)) => {
            return Ok(Mode::Single);
        }
        Err(error) => return Err(error),
    };
    let said = |name| said.get(name).cloned().and_then(|value| from_redis_value(value).ok());
    if said("mode").is_some_and(|mode: String| mode == "cluster") {
        return Ok(Mode::Cluster);
    }
    match said("role") {
        Some(role) if role != "master" => {
            let kind = ErrorKind::Server(ServerErrorKind::ReadOnly);
            Err(RedisError::from((kind, "the server is a replica")))
        }
        _ => Ok(Mode::Single),
    }
}
