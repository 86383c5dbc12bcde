//! What changes while we run: a password is rotated, a database moves.
//!
//! A file is read again every few seconds, and whenever there is no connection. A secret is read again
//! only if the login is refused, and not all the time: each reading is a request to another service, which costs
//! money. While the password of a user is being replaced, PostgreSQL knows the new one seconds before
//! the secret is said to have it. So it is read more than once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::Error;
use sqlx::postgres::PgConnectOptions;
use tokio::time::timeout;

use crate::database_url::{Access, DatabaseUrl};
use crate::error::is_login_refused;

/// How often the file is read while connections can be had.
const EVERY: Duration = Duration::from_secs(10);
/// Between two readings of a secret, at least.
const SECRET_EVERY: Duration = Duration::from_secs(2);
/// How long a request waits for it.
const SECRET_TIMEOUT: Duration = Duration::from_secs(3);

/// The URL, and what of it was taken up.
#[derive(Debug)]
pub(super) struct Rotation {
    url: DatabaseUrl,
    seen: Mutex<Seen>,
    /// Who has it reads, and the others wait for what comes of it.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Seen {
    access: Access,
    /// When it was read.
    at: Instant,
    /// When a change was taken up.
    changed: Option<Instant>,
}

impl Rotation {
    pub(super) async fn new(url: &DatabaseUrl) -> anyhow::Result<(Self, PgConnectOptions)> {
        let access = url.read().await?;
        let options = access.options()?;
        let seen = Mutex::new(Seen { access, at: Instant::now(), changed: None });
        Ok((Self { url: url.clone(), seen, reading: tokio::sync::Mutex::default() }, options))
    }

    /// Whether it is time to look whether it changed.
    pub(super) fn is_due(&self) -> bool {
        let mut seen = self.seen();
        let is_due = self.url.is_file() && seen.at.elapsed() > EVERY;
        if is_due {
            seen.at = Instant::now();
        }
        is_due
    }

    /// Whether this failure may be that of a login that has changed.
    pub(super) fn may_explain(&self, error: &Error) -> bool {
        self.url.is_file() || self.url.is_secret() && is_login_refused(error)
    }

    /// Calls `take_up` with how to connect from now on, if that changed. Returns whether it did, or has
    /// done so for another caller, after `since`.
    pub(super) async fn renew(
        &self,
        since: Instant,
        take_up: impl FnOnce(PgConnectOptions),
    ) -> bool {
        let _turn = self.reading.lock().await;
        if self.seen().changed.is_some_and(|changed| changed > since) {
            return true;
        }
        let changed = self.changed().await.unwrap_or_else(|error| {
            let error = format!("{error:#}");
            tracing::warn!(error, "keeping the login to PostgreSQL that was read before");
            None
        });
        let Some(options) = changed else { return false };
        take_up(options);
        self.seen().changed = Some(Instant::now());
        true
    }

    async fn changed(&self) -> anyhow::Result<Option<PgConnectOptions>> {
        let access = if self.url.is_secret() {
            if !self.may_read_secret() {
                return Ok(None);
            }
            timeout(SECRET_TIMEOUT, self.url.read()).await??
        } else if self.url.is_file() {
            self.url.read().await?
        } else {
            return Ok(None);
        };
        if self.seen().access == access {
            return Ok(None);
        }
        let options = access.options()?;
        tracing::info!("the URL of PostgreSQL or the login there changed");
        self.seen().access = access;
        Ok(Some(options))
    }

    fn may_read_secret(&self) -> bool {
        let mut seen = self.seen();
        let may = seen.at.elapsed() >= SECRET_EVERY;
        if may {
            seen.at = Instant::now();
        }
        may
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
