//! The client: it sends a request, and counts what became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crc16::{State, XMODEM};
use redis::{
    Cmd, ConnectionInfo, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult,
    ServerErrorKind,
};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use crate::breaker::{Change, CircuitBreaker};
use crate::config::Config;
use crate::connection::{Connection, Connector};
use crate::instruments::{ERRORS, INSTRUMENTS, OPEN_BREAKERS};
use crate::url::{expect_no_login, servers, with_password};

/// Circuit breakers of a cluster.
const BREAKERS: u16 = 16;
/// Hash slots of a cluster.
const SLOTS: u16 = 16_384;

/// A Redis that is configured. Clones share everything: one is made per request.
#[derive(Clone)]
pub struct Redis(Arc<Parts>);

struct Parts {
    nodes: Vec<ConnectionInfo>,
    timeout: Duration,
    connector: Connector,
    breakers: Vec<CircuitBreaker>,
    open_breakers: AtomicU16,
}

/// What is sent in one message.
pub enum Request {
    /// One command.
    Command(Cmd),
    /// Several.
    Pipeline(Pipeline),
}

impl From<Cmd> for Request {
    fn from(command: Cmd) -> Self {
        Self::Command(command)
    }
}

impl From<Pipeline> for Request {
    fn from(pipeline: Pipeline) -> Self {
        Self::Pipeline(pipeline)
    }
}

impl Request {
    async fn send<T: FromRedisValue>(&self, mut to: Connection) -> RedisResult<T> {
        match self {
            Self::Command(command) => command.query_async(&mut to).await,
            Self::Pipeline(pipeline) => pipeline.query_async(&mut to).await,
        }
    }
}

impl Redis {
    /// Connects when first used; `None` when no Redis is configured.
    ///
    /// # Errors
    /// When a URL is none, or has no TLS and needs it, or its secret cannot be read; the error names the
    /// variable, not its value.
    pub async fn connect(config: &Config) -> anyhow::Result<Option<Self>> {
        let url = config.redis_url.as_ref().filter(|url| !url.expose_secret().is_empty());
        let Some(url) = url else { return Ok(None) };
        let mut nodes = servers(url.expose_secret())?;
        if let Some(arn) = &config.redis_secret_arn {
            expect_no_login(&nodes)?;
            let [token] = arn.members("REDIS_SECRET_ARN", ["token"]).await?;
            nodes = nodes.into_iter().map(|node| with_password(node, &token)).collect();
        }
        instruments::describe(INSTRUMENTS);
        let timeout = config.timeout();
        let connector = Connector::new(nodes.clone(), timeout);
        // It is there before the first one opens, or nobody could see that none is open.
        metrics::gauge!(OPEN_BREAKERS.name).increment(0.0);
        let breakers = (0..BREAKERS).map(|_| CircuitBreaker::new()).collect();
        let open_breakers = AtomicU16::default();
        let parts = Parts { nodes, timeout, connector, breakers, open_breakers };
        Ok(Some(Self(Arc::new(parts))))
    }

    /// The servers that are configured, for connections of another kind. Not empty.
    #[must_use]
    pub fn nodes(&self) -> &[ConnectionInfo] {
        &self.0.nodes
    }

    /// Sends a request whose keys all have this hash tag; `None` when there is no answer of use. One
    /// whose connection turns out to be bad is sent again on another one: it must be repeatable.
    pub async fn run<T: FromRedisValue>(
        &self,
        hash_tag: &str,
        request: impl Into<Request>,
    ) -> Option<T> {
        let request = request.into();
        let breaker = self.breaker(hash_tag)?;
        if !breaker.admits(self.0.timeout) {
            return None;
        }
        // The client's own timeouts do not count the wait for a connection.
        let failure = match timeout(self.0.timeout, self.send(&request)).await {
            Ok(Ok(answer)) => {
                if breaker.succeeded() == Change::Closed {
                    self.closed();
                }
                return Some(answer);
            }
            Ok(Err(error)) => cause(&error),
            Err(_) => "timeout",
        };
        self.failed(breaker, failure);
        None
    }

    fn closed(&self) {
        if self.0.open_breakers.fetch_sub(1, Ordering::Relaxed) == 1 {
            tracing::info!("Redis answers again; the circuit breaker is closed");
        }
        metrics::gauge!(OPEN_BREAKERS.name).decrement(1.0);
    }

    fn failed(&self, breaker: &CircuitBreaker, cause: &'static str) {
        metrics::counter!(ERRORS.name, "cause" => cause).increment(1);
        let change = breaker.failed();
        if change == Change::Opened {
            // A cluster has several: the log says once that it fails, and once that it works again.
            if self.0.open_breakers.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!(cause, "Redis fails; the circuit breaker is open");
            }
            metrics::gauge!(OPEN_BREAKERS.name).increment(1.0);
        }
        // It may be frozen, or lead to a server that is not the primary any more.
        if matches!(change, Change::Opened | Change::Reopened) {
            self.0.connector.renew();
        }
    }

    /// In a cluster, by the slot of the keys: nodes own ranges of them.
    fn breaker(&self, hash_tag: &str) -> Option<&CircuitBreaker> {
        if !self.0.connector.is_cluster() {
            return self.0.breakers.first();
        }
        let slot = State::<XMODEM>::calculate(hash_tag.as_bytes()) % SLOTS;
        self.0.breakers.get(usize::from(slot / (SLOTS / BREAKERS)))
    }

    async fn send<T: FromRedisValue>(&self, request: &Request) -> RedisResult<T> {
        match self.send_once(request).await? {
            Err(error) if self.is_bad(&error) => self.send_once(request).await?,
            answer => answer,
        }
    }

    /// The outer error is that of connecting.
    async fn send_once<T: FromRedisValue>(&self, request: &Request) -> RedisResult<RedisResult<T>> {
        let connecting = self.0.connector.get();
        let connected = connecting.clone().await;
        let connection = connected.inspect_err(|_| self.0.connector.discard(&connecting))?;
        let answer = request.send(connection).await;
        if answer.as_ref().is_err_and(|error| self.is_bad(error)) {
            self.0.connector.discard(&connecting);
        }
        Ok(answer)
    }

    /// Whether the connection is bad: it is cut off, or leads to a server that is not the primary any
    /// more (and perhaps loads what the new one has), or to one of a cluster.
    fn is_bad(&self, error: &RedisError) -> bool {
        if error.is_connection_dropped() {
            return true;
        }
        match error.kind() {
            ErrorKind::Server(
                ServerErrorKind::ReadOnly
                | ServerErrorKind::MasterDown
                | ServerErrorKind::BusyLoading,
            ) => true,
            ErrorKind::Server(
                ServerErrorKind::Moved
                | ServerErrorKind::Ask
                | ServerErrorKind::CrossSlot
                | ServerErrorKind::ClusterDown,
            ) if !self.0.connector.is_cluster() => {
                self.0.connector.set_cluster();
                true
            }
            _ => false,
        }
    }
}

/// One of a few words, without what the server said: that may name keys.
fn cause(error: &RedisError) -> &'static str {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => "replica",
        ErrorKind::Server(ServerErrorKind::BusyLoading) => "loading",
        ErrorKind::Server(ServerErrorKind::NoPerm) | ErrorKind::AuthenticationFailed => "denied",
        ErrorKind::ClusterConnectionNotFound => "cluster",
        ErrorKind::Server(_) if error.is_cluster_error() => "cluster",
        _ if error.is_timeout() => "timeout",
        ErrorKind::Io => "connection",
        _ => "other",
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("timeout", &self.0.timeout).finish_non_exhaustive()
    }
}
