//! How a commit ends the sleep of a relay, at no cost while none sleeps.
//!
//! NOTIFY takes a lock of the whole database at commit, so a writer notifies only if a relay said
//! that it sleeps. A writer whose statement looked before the relay said so does not notify, and its
//! transaction may commit at any time after. So a relay that went to sleep polls again by itself, soon
//! at first, and then once a second, which also makes up for a lost connection.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{Outbox, OutboxError};
use crate::pool::{Pool, late};

/// The channel that [`write`](crate::write) and leases notify.
const CHANNEL: &str = "outbox";
/// Between two attempts to listen.
const PAUSE: Duration = Duration::from_secs(1);
/// A connection on which nothing came for so long is checked: a server that is gone says nothing.
const SILENCE: Duration = Duration::from_secs(3);
/// How long to wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Ends a relay's sleep. Listens on a connection of its own until it is dropped.
#[derive(Debug)]
pub struct OutboxListener {
    received: Arc<Received>,
    _listening: AbortOnDropHandle<()>,
}

#[derive(Debug, Default)]
struct Received {
    notified: Notify,
    shards: AtomicBool,
}

impl Outbox {
    /// Begins to listen; connects in the background, and again after each failure. Behind a pooler
    /// no notification arrives.
    #[must_use]
    pub fn listener(&self) -> OutboxListener {
        let received = Arc::<Received>::default();
        let pool = self.store.pool.clone();
        let listening = if pool.has_sessions() {
            tokio::spawn(listen(pool, Arc::clone(&received)))
        } else {
            tokio::spawn(pending())
        };
        OutboxListener { received, _listening: AbortOnDropHandle::new(listening) }
    }

    /// Says whether this replica sleeps, so that writers notify it. Poll once more after saying so,
    /// since what was committed before was not notified; and then again after growing pauses, since what
    /// was written before and is committed later will not be, either.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn set_sleeping(&self, sleeping: bool) -> Result<(), OutboxError> {
        sqlx::query!(
            "UPDATE outbox_relays SET sleeping = $2 WHERE id = $1 -- no tenant's",
            self.id,
            // Without a connection there is nobody to notify.
            sleeping && self.store.pool.has_sessions(),
        )
        .execute(&self.store.pool)
        .await?;
        Ok(())
    }
}

impl OutboxListener {
    /// Waits for new facts or free shards. What came since the last wait counts.
    pub async fn wait(&self) {
        self.received.notified.notified().await;
    }

    /// Whether another replica released shards since the last call: a reason to renew the lease.
    #[must_use]
    pub fn shards_are_free(&self) -> bool {
        self.received.shards.swap(false, Ordering::SeqCst)
    }
}

async fn listen(pool: Pool, received: Arc<Received>) {
    loop {
        if let Err(error) = forward(&pool, &received).await {
            tracing::debug!(%error, "cannot listen; polling once a second meanwhile");
        }
        sleep(PAUSE).await;
    }
}

/// Until the connection fails, or is silent: then it ends, and another is made.
async fn forward(pool: &Pool, received: &Received) -> Result<(), sqlx::Error> {
    let mut listener = timeout(ANSWER_TIMEOUT, connect(pool)).await.map_err(late)??;
    loop {
        match timeout(SILENCE, listener.recv()).await {
            Ok(notification) => {
                if !notification?.payload().is_empty() {
                    received.shards.store(true, Ordering::SeqCst);
                }
                received.notified.notify_one();
            }
            Err(_) => {
                timeout(ANSWER_TIMEOUT, listener.execute("SELECT 1")).await.map_err(late)??;
            }
        }
    }
}

/// A pool for each listener: one that is dropped ends its session, and where the server does not answer,
/// the next must not wait for that.
async fn connect(pool: &Pool) -> Result<PgListener, sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(pool.connect_options());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
