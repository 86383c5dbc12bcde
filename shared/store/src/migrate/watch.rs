//! A server that freezes in the middle of a migration, or a way to it that is lost.
//!
//! A migration may take hours on a large table, so no deadline of a statement would be right. While one
//! runs, another connection looks whether the server answers and still has the session. Without both,
//! `migrate` gives up. The server ends the session as well, and with it its lock: see [`SETTINGS`].

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::time::{Instant, sleep, timeout};

/// Of a session that migrates. A statement may take its time. A client that says nothing for longer than
/// `migrate` ever does is gone or stopped, and its lock must not stay behind.
pub(super) const SETTINGS: &str = "
    SET statement_timeout = 0;
    SET idle_in_transaction_session_timeout = '1min';
    SET idle_session_timeout = '2min';
    SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 10;
    SET tcp_keepalives_count = 3";

/// A session that is watched while it is used.
pub(super) struct Watch {
    options: PgConnectOptions,
    pid: i32,
    limit: Duration,
}

impl Watch {
    /// Of the session of `connection`. It is lost when nothing was seen of it for `limit`.
    pub(super) async fn of(
        connection: &mut PgConnection,
        options: PgConnectOptions,
        limit: Duration,
    ) -> sqlx::Result<Self> {
        let pid = sqlx::query_scalar!(r#"SELECT pg_backend_pid() AS "pid!" -- no tenant's"#);
        Ok(Self { options, pid: pid.fetch_one(connection).await?, limit })
    }

    /// Runs `work` on the session to its end, or until the session is lost.
    ///
    /// # Errors
    /// Those of `work`, and that the session is lost.
    pub(super) async fn during<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            biased;
            done = work => done,
            why = self.lost() => Err(why),
        }
    }

    /// Returns when nothing was seen of the session for as long as may be.
    async fn lost(&self) -> anyhow::Error {
        let mut seen = Instant::now();
        loop {
            sleep(self.limit / 4).await;
            let missing = match timeout(self.limit / 2, self.look()).await {
                Ok(Ok(true)) => {
                    seen = Instant::now();
                    continue;
                }
                Ok(Ok(false)) => anyhow!("it has no such session any more"),
                Ok(Err(error)) => error.into(),
                Err(_) => anyhow!("it does not answer"),
            };
            if seen.elapsed() >= self.limit {
                return missing.context(format!(
                    "PostgreSQL was lost in the middle of a migration (session {}, for {:?}). What was \
                     not committed is undone. Run this again once it answers",
                    self.pid, self.limit
                ));
            }
        }
    }

    async fn look(&self) -> sqlx::Result<bool> {
        let mut connection = self.options.connect().await?;
        let is_there = sqlx::query_scalar!(
            r#"
            -- no tenant's
            SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1) AS "is_there!"
            "#,
            self.pid,
        );
        let is_there = is_there.fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(is_there)
    }
}

/// The session that holds the lock, for people.
pub(super) async fn holder(connection: &mut PgConnection) -> anyhow::Result<String> {
    let holder = sqlx::query_scalar!(
        r#"
        -- no tenant's
        SELECT format(
            'session %s (%s from %s, since %s, %s)', pid,
            coalesce(nullif(application_name, ''), usename, 'somebody'),
            coalesce(host(client_addr), 'the same machine'), backend_start::timestamptz(0),
            coalesce(state, 'unknown state')
        ) AS "holder!"
        FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND granted AND objsubid = 1
        AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (classid::bigint << 32) | objid::bigint = hashtext('task-app migrations')
        "#
    );
    let holder = holder.fetch_optional(connection).await.context("looking who migrates")?;
    Ok(holder.unwrap_or_else(|| "another session".to_owned()))
}
