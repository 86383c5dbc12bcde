//! Redis as this crate uses it: it may be slow, empty, failed over or gone at any time.
//!
//! A failure costs its request at most the configured timeout. A circuit breaker keeps the others
//! from waiting for a Redis that does not answer, and a connection that is bad is made anew. The
//! cache and the rate limits share both.
//!
//! Every key has its tenant as hash tag (`{tenant}`), so that in a cluster all that one command
//! needs is on one node. There, each sixteenth of the slots has a circuit breaker of its own: a node
//! that fails is not felt by the tenants of the others.
//!
//! | metric | what |
//! |---|---|
//! | `redis_errors_total` | requests without an answer of use, by `cause` |
//! | `redis_circuit_breakers_open` | circuit breakers that are open or half-open |

mod breaker;
mod connection;
mod url;

use std::sync::Arc;
use std::time::Duration;

use crc16::{State, XMODEM};
use domain::TenantId;
use redis::{
    Cmd, ConnectionInfo, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult,
    ServerErrorKind,
};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use self::breaker::{Change, CircuitBreaker};
use self::connection::Connector;
pub(crate) use self::connection::{Connection, Mode, mode};
use crate::config::Config;

/// Circuit breakers of a cluster.
const BREAKERS: u16 = 16;
/// Hash slots of a cluster.
const SLOTS: u16 = 16_384;

const OPEN_BREAKERS: &str = "redis_circuit_breakers_open";

/// A Redis that is configured. Clones share one connection.
#[derive(Clone)]
pub(crate) struct Redis {
    /// For connections of another kind. Not empty.
    pub(crate) nodes: Vec<ConnectionInfo>,
    timeout: Duration,
    connector: Connector,
    breakers: Arc<[CircuitBreaker]>,
}

/// What is sent in one message.
pub(crate) enum Request {
    Command(Cmd),
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
    pub(crate) fn connect(config: &Config) -> anyhow::Result<Option<Self>> {
        let url = config.redis_url.as_ref().filter(|url| !url.expose_secret().is_empty());
        let Some(url) = url else { return Ok(None) };
        let nodes = url::servers(url.expose_secret())?;
        let timeout = config.redis_timeout();
        let connector = Connector::new(nodes.clone(), timeout);
        let breakers = (0..BREAKERS).map(|_| CircuitBreaker::new()).collect();
        Ok(Some(Self { nodes, timeout, connector, breakers }))
    }

    /// Sends a request about `tenant`; `None` when there is no answer of use. One whose connection
    /// turns out to be bad is sent again on another one: it must be repeatable.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        tenant: &TenantId,
        request: impl Into<Request>,
    ) -> Option<T> {
        let request = request.into();
        let breaker = self.breaker(tenant)?;
        if !breaker.admits(self.timeout) {
            return None;
        }
        // The client's own timeouts do not count the wait for a connection.
        let failure = match timeout(self.timeout, self.send(&request)).await {
            Ok(Ok(answer)) => {
                if breaker.succeeded() == Change::Closed {
                    tracing::info!("Redis answers again; the circuit breaker is closed");
                    metrics::gauge!(OPEN_BREAKERS).decrement(1.0);
                }
                return Some(answer);
            }
            Ok(Err(error)) => cause(&error),
            Err(_) => "timeout",
        };
        self.failed(breaker, failure);
        None
    }

    fn failed(&self, breaker: &CircuitBreaker, cause: &'static str) {
        metrics::counter!("redis_errors_total", "cause" => cause).increment(1);
        let change = breaker.failed();
        if change == Change::Opened {
            tracing::warn!(cause, "Redis fails; the circuit breaker is open");
            metrics::gauge!(OPEN_BREAKERS).increment(1.0);
        }
        // It may be frozen, or lead to a server that is not the primary any more.
        if matches!(change, Change::Opened | Change::Reopened) {
            self.connector.renew();
        }
    }

    /// In a cluster, by the slot of the tenant's keys: nodes own ranges of them.
    fn breaker(&self, tenant: &TenantId) -> Option<&CircuitBreaker> {
        if !self.connector.is_cluster() {
            return self.breakers.first();
        }
        let slot = State::<XMODEM>::calculate(tenant.as_str().as_bytes()) % SLOTS;
        self.breakers.get(usize::from(slot / (SLOTS / BREAKERS)))
    }

    async fn send<T: FromRedisValue>(&self, request: &Request) -> RedisResult<T> {
        match self.send_once(request).await? {
            Err(error) if self.is_bad(&error) => self.send_once(request).await?,
            answer => answer,
        }
    }

    /// The outer error is that of connecting.
    async fn send_once<T: FromRedisValue>(&self, request: &Request) -> RedisResult<RedisResult<T>> {
        let connecting = self.connector.get();
        let connected = connecting.clone().await;
        let connection = connected.inspect_err(|_| self.connector.discard(&connecting))?;
        let answer = request.send(connection).await;
        if answer.as_ref().is_err_and(|error| self.is_bad(error)) {
            self.connector.discard(&connecting);
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
            ) if !self.connector.is_cluster() => {
                self.connector.set_cluster();
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
        f.debug_struct("Redis").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
