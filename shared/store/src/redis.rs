//! Redis as this crate uses it: it may be slow, empty or gone at any time.
//!
//! A failure is counted, costs at most the configured timeout, and then Redis is left alone for a
//! moment, so that not every request pays for it. The cache and the rate limits share the
//! connection, and the rest with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisResult};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use crate::config::Config;

/// How long Redis is left alone after it failed.
const REST: Duration = Duration::from_secs(1);

/// A Redis that is configured. Clones share one connection.
#[derive(Clone)]
pub(crate) struct Redis {
    /// For connections of another kind.
    pub(crate) client: Client,
    pub(crate) timeout: Duration,
    connection: ConnectionManager,
    resting_until: Arc<Mutex<Option<Instant>>>,
}

impl Redis {
    /// Connects when first used; `None` when no Redis is configured.
    pub(crate) fn connect(config: &Config) -> anyhow::Result<Option<Self>> {
        let url = config.redis_url.as_ref().filter(|url| !url.expose_secret().is_empty());
        let Some(url) = url else { return Ok(None) };
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(config.redis_timeout()))
            .set_response_timeout(Some(config.redis_timeout()))
            .set_number_of_retries(1);
        let (client, connection) = Client::open(url.expose_secret())
            .and_then(|client| {
                let connection = ConnectionManager::new_lazy_with_config(client.clone(), settings)?;
                Ok((client, connection))
            })
            .ok()
            .context("REDIS_URL: expected redis://host:port or rediss://host:port")?;
        let timeout = config.redis_timeout();
        Ok(Some(Self { client, timeout, connection, resting_until: Arc::default() }))
    }

    /// Runs `request` unless Redis rests; `None` when there is no answer.
    pub(crate) async fn run<T>(
        &self,
        request: impl AsyncFnOnce(&mut ConnectionManager) -> RedisResult<T>,
    ) -> Option<T> {
        if self.resting_until().is_some_and(|until| Instant::now() < until) {
            return None;
        }
        // The client's own timeouts do not count the wait for a connection.
        let answer = timeout(self.timeout, request(&mut self.connection.clone())).await;
        let cause = match answer {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => format!("{:?}", error.kind()),
            Err(_) => "no answer in time".to_owned(),
        };
        metrics::counter!("redis_errors_total").increment(1);
        tracing::warn!(cause, "Redis failed; doing without it for a moment");
        *self.resting_until.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Instant::now() + REST);
        None
    }

    fn resting_until(&self) -> Option<Instant> {
        *self.resting_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
