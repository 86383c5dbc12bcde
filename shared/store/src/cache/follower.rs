//! Redis's word of changed entries (client-side caching, in broadcasting mode), for the copies in
//! this process.
//!
//! A connection of its own is told each key that changes. It is asked for a sign of life every
//! second, and what was kept is believed for two from when it was last asked in time: a connection
//! that hangs half open, or a process that was stopped for a while, costs no more than that. Whoever
//! reads meanwhile asks Redis. The cache that the client library offers is not used: it may keep an
//! answer that was on its way when the word of its change came.

use std::time::Duration;

use redis::aio::{MultiplexedConnection, SendError};
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ProtocolVersion, PushInfo, PushKind,
    RedisResult, Value,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{Local, TASK_KEYS};
use crate::redis::Redis;

/// How often the connection is asked for a sign of life.
const PERIOD: Duration = Duration::from_secs(1);
/// For how long a sign of life is good.
const TRUST: Duration = Duration::from_secs(2);
/// The pause before connecting again: doubled each time, with full jitter.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Keeps the copies of tasks in this process right. While it does not [run](Self::run), none are
/// kept.
#[derive(Clone)]
pub struct Follower {
    server: ConnectionInfo,
    timeout: Duration,
    local: Local,
}

impl Follower {
    pub(crate) fn new(redis: &Redis, local: Local) -> Self {
        let server = redis.client.get_connection_info();
        let settings = server.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let server = server.clone().set_redis_settings(settings);
        Self { server, timeout: redis.timeout, local }
    }

    /// Follows until `stop`. While Redis is away it tries again, after 5 seconds at most.
    ///
    /// # Errors
    /// Never: it is a part of a service like others.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        stop.run_until_cancelled(self.follow_on()).await;
        self.local.distrust();
        Ok(())
    }

    async fn follow_on(&self) {
        let mut pause = PAUSE;
        loop {
            let begun = Instant::now();
            if let Err(error) = self.follow().await {
                let cause = format!("{:?}", error.kind());
                tracing::warn!(
                    cause,
                    "Redis's word of changes is not heard; keeping no tasks in this process"
                );
            }
            self.local.distrust();
            pause =
                if begun.elapsed() > LONGEST_PAUSE { PAUSE } else { LONGEST_PAUSE.min(pause * 2) };
            sleep(rand::random_range(Duration::ZERO..pause)).await;
        }
    }

    /// Follows until the connection breaks.
    async fn follow(&self) -> RedisResult<()> {
        let mut connection = self.connect().await?;
        redis::cmd("CLIENT")
            .arg(&["TRACKING", "ON", "BCAST", "PREFIX", TASK_KEYS])
            .exec_async(&mut connection)
            .await?;
        // What was asked for before may have changed unheard.
        self.local.clear();
        loop {
            let asked = Instant::now();
            redis::cmd("PING").exec_async(&mut connection).await?;
            self.local.trust_until(asked + TRUST);
            sleep(PERIOD).await;
        }
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let local = self.local.clone();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout))
            // In the connection's own task: what comes before an answer is dealt with before it.
            .set_push_sender(move |word| {
                heed(&local, &word);
                Ok::<_, SendError>(())
            });
        let client = Client::open(self.server.clone())?;
        client.get_multiplexed_async_connection_with_config(&config).await
    }
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("local", &self.local).finish_non_exhaustive()
    }
}

/// An invalidation names keys, or none when all are gone.
fn heed(local: &Local, word: &PushInfo) {
    match (&word.kind, word.data.first()) {
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
