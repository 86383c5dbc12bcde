//! What a backup needs of PostgreSQL: what a snapshot holds, and what a restored database must be.
//!
//! The dump itself is made and read by PostgreSQL's own programs. Here is what they do not say: how many
//! rows each table has in the very snapshot that is dumped, with a digest of them, and which rights,
//! policies and constraints there are. A restored database is compared with that.
//!
//! None of it goes through the store's pool, whose statements end after seconds: a table of millions
//! of rows takes longer.

mod cache;
mod catalog;
mod check;
mod program;
mod restore;
mod rows;
mod sample;
mod snapshot;

pub use cache::{CacheConfig, empty_cache};
pub use check::{Checked, check};
pub use program::Libpq;
pub use restore::{Emptied, Existing, Scratch, after_restore, clear, existing, prepare};
pub use rows::Table;
pub use sample::{Sampled, sample};
pub use snapshot::{Contents, Inbox, Snapshot};

use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Executor as _};
use tokio::time::timeout;

use crate::DatabaseUrl;
use crate::error::connecting;

/// How long to wait for the database to answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A digest is of the rows as text, so the settings of a server must not change how that looks. A
/// statement may take its time; a connection that is lost is noticed.
const SETTINGS: &str = "
    SET statement_timeout = 0;
    SET idle_in_transaction_session_timeout = 0;
    SET tcp_keepalives_idle = 10;
    SET tcp_keepalives_interval = 10;
    SET tcp_keepalives_count = 3;
    SET timezone = 'UTC';
    SET datestyle = 'ISO, MDY';
    SET intervalstyle = 'postgres';
    SET bytea_output = 'hex';
    SET extra_float_digits = 1;
    SET row_security = on;
    SET search_path = public";

async fn connect(database: &DatabaseUrl) -> Result<PgConnection> {
    let options = database.options().await?.application_name("backup");
    let connect = async {
        let mut connection = options.connect().await.map_err(connecting)?;
        connection.execute(SETTINGS).await?;
        Ok::<_, sqlx::Error>(connection)
    };
    let connection = timeout(CONNECT_TIMEOUT, connect).await.map_err(anyhow::Error::from);
    connection.and_then(|connection| Ok(connection?)).context("connecting to PostgreSQL")
}
