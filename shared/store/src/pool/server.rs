//! Which server the connections lead to.
//!
//! After a fail-over the former primary may go on answering reads, from what it knew then: it comes
//! back as a standby, or it is cut off from the others and not from us. So a new connection to a
//! standby is refused, and a probe makes a new connection every few seconds, to see where the URL leads
//! now. If that is another server, the connections that were made before are closed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Error, Executor as _, Row as _};
use tokio::time::Instant;

use crate::error::standby_server;

/// Between two probes, while there are requests. With [`LATEST`] it bounds how long a former primary
/// is read from.
const PROBE_EVERY: Duration = Duration::from_secs(4);
/// After so long without a probe, a request waits for one: nobody knows where the URL leads.
const LATEST: Duration = Duration::from_secs(8);

/// A server is known by the moment it was started.
const IDENTIFY: &str = "SELECT pg_is_in_recovery(), pg_postmaster_start_time()::text";

/// The server that the newest connection leads to.
#[derive(Debug, Default)]
pub(super) struct Server {
    known: Mutex<Known>,
    probing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    started: Option<String>,
    /// Whether the newest connection was refused, because it led to a standby.
    is_standby: bool,
    /// When the last probe began, or the first connection was made.
    probed: Option<Instant>,
}

/// What a request does about the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    No,
    /// It begins one, and does not wait for it.
    Beside,
    /// It waits for one.
    Before,
}

impl Server {
    /// Makes the settings of a new connection, and reads which server it leads to. Returns whether
    /// that is another one than before.
    ///
    /// # Errors
    /// When there is no answer, or the server is a standby.
    pub(super) async fn identify(
        &self,
        connection: &mut PgConnection,
        settings: Option<&str>,
    ) -> Result<bool, Error> {
        let settings = settings.map(|settings| format!("{settings}; ")).unwrap_or_default();
        let row = connection.fetch_one(AssertSqlSafe(format!("{settings}{IDENTIFY}"))).await?;
        let (is_standby, started): (bool, String) = (row.try_get(0)?, row.try_get(1)?);
        let mut known = self.known();
        known.is_standby = is_standby;
        if is_standby {
            return Err(standby_server());
        }
        known.probed.get_or_insert_with(Instant::now);
        let before = known.started.replace(started);
        Ok(before.is_some() && before != known.started)
    }

    /// Whether a probe is due. Whoever is given [`Due::Beside`] begins it.
    pub(super) fn due(&self) -> Due {
        let mut known = self.known();
        match known.probed.map(|probed| probed.elapsed()) {
            Some(elapsed) if elapsed > LATEST => Due::Before,
            Some(elapsed) if elapsed > PROBE_EVERY => {
                known.probed = Some(Instant::now());
                Due::Beside
            }
            _ => Due::No,
        }
    }

    /// Runs `probe`, unless that was done while others ran theirs.
    pub(super) async fn wait_for(&self, probe: impl Future<Output = ()>) {
        let _turn = self.probing.lock().await;
        if self.due() == Due::Before {
            probe.await;
            self.known().probed = Some(Instant::now());
        }
    }

    /// What made it impossible to connect: that the server is a standby, if it is, says more than
    /// that no other one was found in time.
    pub(super) fn cause(&self, error: Error) -> Error {
        let is_standby = matches!(error, Error::PoolTimedOut) && self.known().is_standby;
        if is_standby { standby_server() } else { error }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
