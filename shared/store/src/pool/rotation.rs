//! A URL that changes while we run: a password is rotated, a database moves.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;

use crate::database_url::{DatabaseUrl, parse};

/// How often the file is read while connections can be had.
const EVERY: Duration = Duration::from_secs(10);

/// The URL, and what of it was taken up.
#[derive(Debug)]
pub(super) struct Rotation {
    url: DatabaseUrl,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    url: SecretString,
    at: Instant,
}

impl Rotation {
    pub(super) fn new(url: &DatabaseUrl) -> anyhow::Result<(Self, PgConnectOptions)> {
        let seen = url.read()?;
        let options = parse(&seen)?;
        let seen = Mutex::new(Seen { url: seen, at: Instant::now() });
        Ok((Self { url: url.clone(), seen }, options))
    }

    /// Whether it is time to look whether it changed.
    pub(super) fn is_due(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = self.url.is_file() && seen.at.elapsed() > EVERY;
        if is_due {
            seen.at = Instant::now();
        }
        is_due
    }

    /// How to connect from now on, if that changed. Reads a file.
    pub(super) fn changed(&self) -> Option<PgConnectOptions> {
        if !self.url.is_file() {
            return None;
        }
        self.take_up().unwrap_or_else(|error| {
            let error = format!("{error:#}");
            tracing::warn!(error, "keeping the URL that was read before");
            None
        })
    }

    fn take_up(&self) -> anyhow::Result<Option<PgConnectOptions>> {
        let url = self.url.read()?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if url.expose_secret() == seen.url.expose_secret() {
            return Ok(None);
        }
        let options = parse(&url)?;
        tracing::info!("the URL of PostgreSQL changed");
        seen.url = url;
        Ok(Some(options))
    }
}
