//! Connections to PostgreSQL, none of which can hang.
//!
//! A server that disappears (its host is gone, a firewall dropped the connection) closes
//! nothing, and sqlx waits for it without bound: in a statement, and in the check of a connection
//! that comes back to its pool. So here everything has an end by our own clock, and a connection on
//! which something did not end in time is closed and never used again.
//!
//! Where one connection shows that its server is not the right one any more (it is gone, it shuts
//! down, it was demoted and is read-only), the others that were made before are closed as well,
//! before their next use: new ones find where the name leads now. So they are when a new connection
//! leads to another server ([`server`]).

mod connection;
mod executor;
mod generation;
mod rotation;
mod server;
mod transaction;
mod usage;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Error};
use tokio::time::timeout;

pub(crate) use self::connection::Connection;
use self::generation::Generation;
use self::rotation::Rotation;
use self::server::{Due, Server};
pub(crate) use self::transaction::Transaction;
use self::usage::Usage;
use crate::config::Config;
use crate::error::connecting;

/// A connection that was idle for longer is checked before it is used: it may have been cut off.
const IDLE: Duration = Duration::from_secs(1);
/// How long such a check may take, and the one of a connection that comes back.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);
/// How much longer we wait for a statement than PostgreSQL runs it.
const MARGIN: Duration = Duration::from_secs(1);
/// How long PostgreSQL waits for the next statement of a transaction.
const IDLE_IN_TRANSACTION_MS: u64 = 5_000;

/// How PostgreSQL plans the statements of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plans {
    /// As it sees fit: after a few executions, perhaps once for all values.
    Shared,
    /// Anew for the values of each execution; and words of titles are found as wholes.
    Custom,
    /// Once for all values, to reach each row by its key: PostgreSQL would plan small batches anew each
    /// time, and while it has no statistics of a table it would read all of it, by a plan that it keeps.
    ///
    /// Nothing forbids it to read all of an index, as it does of a table that it takes for empty. But it
    /// only considers that for an order that it could use, such as one to merge by. So such statements
    /// compare a key's first column with an array of one, by which nothing is merged, and do not sort by it.
    ByKey,
}

impl Plans {
    /// The settings for it.
    fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Shared => &[],
            Self::Custom => &[
                "plan_cache_mode = force_custom_plan",
                "pg_trgm.strict_word_similarity_threshold = 1",
            ],
            Self::ByKey => &[
                "plan_cache_mode = force_generic_plan",
                "enable_seqscan = off",
                "enable_bitmapscan = off",
                "enable_hashjoin = off",
                "enable_mergejoin = off",
                // What is switched off counts as so expensive that each statement would be compiled.
                "jit = off",
            ],
        }
    }
}

/// What a connection of ours stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sessions {
    /// A session of PostgreSQL, which keeps its settings and prepared statements.
    Own,
    /// A place at a pooler, where each transaction gets a session that others used before: it makes
    /// these settings for itself, and nothing outlives it.
    Shared { settings: String },
}

/// Connections that are made when they are needed. Clones share everything: one is made per request.
#[derive(Clone, Debug)]
pub(crate) struct Pool(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    inner: PgPool,
    /// How long a statement may take, its way to and fro included.
    deadline: Duration,
    sessions: Sessions,
    generation: Arc<Generation>,
    server: Arc<Server>,
    /// What a new connection sends first, if it is a session of its own.
    settings: Option<Arc<str>>,
    rotation: Rotation,
    usage: Usage,
}

impl Pool {
    pub(crate) async fn new(config: &Config, plans: Plans) -> anyhow::Result<Self> {
        let (rotation, url) = Rotation::new(&config.database).await?;
        let sessions = if config.database_transaction_pooling {
            Sessions::Shared { settings: settings(config, plans, "SET LOCAL") }
        } else {
            Sessions::Own
        };
        let generation = Arc::new(Generation::default());
        let server = Arc::<Server>::default();
        let (reached, renewed) = (Arc::clone(&server), Arc::clone(&generation));
        let newest = Arc::clone(&generation);
        let own = sessions == Sessions::Own;
        let settings: Option<Arc<str>> = own.then(|| settings(config, plans, "SET").into());
        let first = settings.clone();
        // There must be time left for a new connection.
        let check_timeout = CHECK_TIMEOUT.min(config.acquire_timeout() / 2);
        let inner = PgPoolOptions::new()
            .max_connections(config.database_max_connections)
            .acquire_timeout(config.acquire_timeout())
            // Not as startup options, which PgBouncer and RDS Proxy refuse.
            .after_connect(move |connection, _| {
                let settings = first.clone();
                let (reached, renewed) = (Arc::clone(&reached), Arc::clone(&renewed));
                Box::pin(async move {
                    if reached.identify(connection, settings.as_deref()).await? {
                        renewed.renew(Instant::now());
                    }
                    Ok(())
                })
            })
            // A check costs a round trip: busy connections are found dead by their next use.
            .test_before_acquire(false)
            .before_acquire(move |connection, metadata| {
                let is_usable = newest.includes(metadata.age);
                Box::pin(async move {
                    if is_usable && metadata.idle_for > IDLE {
                        timeout(check_timeout, connection.ping()).await.map_err(late)??;
                    }
                    Ok(is_usable)
                })
            })
            .connect_lazy_with(options(url));
        let deadline = config.statement_timeout() + MARGIN;
        let usage = Usage::of(config.database_max_connections);
        let parts =
            Parts { inner, deadline, sessions, generation, server, settings, rotation, usage };
        Ok(Self(Arc::new(parts)))
    }

    /// Begins a transaction, in one round trip.
    pub(crate) async fn begin(&self) -> Result<Transaction, Error> {
        self.begin_with("BEGIN".to_owned()).await
    }

    /// As [`begin`](Self::begin), by `sql`.
    pub(crate) async fn begin_with(&self, mut sql: String) -> Result<Transaction, Error> {
        if let Sessions::Shared { settings } = &self.0.sessions {
            sql.push_str("; ");
            sql.push_str(settings);
            // A pooler's connections to servers are not ours to check once.
            sql.push_str("; SELECT pg_is_in_recovery()");
        }
        Transaction::begin(self.acquire().await?, sql).await
    }

    /// Uses none of the connections that there are: their server is not the right one.
    pub(crate) fn renew(&self) {
        self.0.generation.renew(Instant::now());
    }

    /// Whether a connection is a session of PostgreSQL, to which notifications come, and which keeps settings
    /// and prepared statements from one transaction to the next.
    pub(crate) fn has_sessions(&self) -> bool {
        self.0.sessions == Sessions::Own
    }

    /// For connections of another kind.
    pub(crate) fn connect_options(&self) -> PgConnectOptions {
        (*self.0.inner.connect_options()).clone()
    }

    /// A free connection, or a new one. How long that may take, the pool bounds. Without
    /// [sessions](Self::has_sessions), only a transaction makes sense of it.
    pub(crate) async fn acquire(&self) -> Result<Connection, Error> {
        let begun = Instant::now();
        if self.0.rotation.is_due() {
            self.rotate(begun).await;
        }
        self.probe_if_due().await;
        let begun = Instant::now();
        let connection = match self.0.inner.acquire().await {
            // Perhaps because the password is another one by now.
            Err(error) if self.0.rotation.may_explain(&error) && self.rotate(begun).await => {
                self.0.inner.acquire().await
            }
            connection => connection,
        };
        self.0.usage.waited(begun.elapsed());
        let connection = connection.map_err(|error| self.0.server.cause(connecting(error)))?;
        Ok(Connection::of(self, connection))
    }
}

impl Pool {
    /// Takes up a URL or a login that changed, for new connections, and uses no others. Returns whether that
    /// was done after `since`.
    async fn rotate(&self, since: Instant) -> bool {
        let take_up = |url| {
            self.0.inner.set_connect_options(options(url));
            self.renew();
        };
        self.0.rotation.renew(since, take_up).await
    }

    async fn probe_if_due(&self) {
        match self.0.server.due() {
            Due::No => {}
            Due::Beside => {
                let pool = self.clone();
                tokio::spawn(async move { pool.probe().await });
            }
            Due::Before => Box::pin(self.0.server.wait_for(self.probe())).await,
        }
    }

    /// Sees where the URL leads now. If nothing answers there, nothing is known, and the connections
    /// that there are stay in use.
    async fn probe(&self) {
        let probe = async {
            let mut connection = self.connect_options().connect().await?;
            if self.0.server.identify(&mut connection, self.0.settings.as_deref()).await? {
                tracing::info!("the URL of PostgreSQL leads to another server");
                self.renew();
            }
            Ok::<_, Error>(())
        };
        let _ = timeout(CHECK_TIMEOUT, probe).await;
    }
}

fn options(url: PgConnectOptions) -> PgConnectOptions {
    // PgBouncer refuses the startup parameter, whose value is the server's own since version 12.
    url.application_name(env!("CARGO_PKG_NAME")).extra_float_digits(None)
}

/// The bounds of time that PostgreSQL keeps by itself and how it plans, set by `set`.
fn settings(config: &Config, plans: Plans, set: &str) -> String {
    let bounds = [
        format!("statement_timeout = {}", config.database_statement_timeout_ms),
        format!("idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_MS}"),
    ];
    let plans = plans.settings().iter().map(|setting| (*setting).to_owned());
    let settings = bounds.into_iter().chain(plans).map(|setting| format!("{set} {setting}"));
    settings.collect::<Vec<_>>().join("; ")
}

/// PostgreSQL did not answer in time.
pub(crate) fn late(_: tokio::time::error::Elapsed) -> Error {
    std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time").into()
}
