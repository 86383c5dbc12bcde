//! What commands leave in the database: their traces in the inbox, and the space that facts took in the
//! outbox until they were published. And how far behind the relay falls meanwhile.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::{Instant, sleep};

use super::{BATCH, CONNECTIONS};
use crate::figures::Spread;
use crate::part::Run;
use crate::postgresql::PostgreSql;
use crate::queues::Queues;
use crate::show;
use crate::system::System;
use crate::writes::CREATES;
use crate::writes::writer::Writer;

const FULL: f64 = 1e6;
const QUICK: f64 = 20_000.0;
const TURN: Duration = Duration::from_secs(1);
/// For the relay to publish what is left.
const PATIENCE: Duration = Duration::from_mins(10);
const POLL: Duration = Duration::from_millis(100);
/// Of a relay that works, at every second.
const LAG: &str =
    "SELECT coalesce(extract(EPOCH FROM clock_timestamp() - min(occurred_at)), 0)::float8
    FROM outbox WHERE NOT sent";

/// Bytes are those of tables with their indexes.
pub(super) struct Left {
    pub(super) commands: f64,
    pub(super) per_second: f64,
    /// Per command.
    pub(super) inbox: f64,
    /// Per command that was applied, after all facts were published and the table was vacuumed.
    pub(super) outbox: f64,
    /// Seconds, at the end of each turn.
    pub(super) lag: Spread,
    /// Seconds from the end of the last turn until nothing was left to publish.
    pub(super) caught_up: f64,
}

pub(super) async fn measure(run: &Run, system: &System, postgresql: &PostgreSql) -> Result<Left> {
    let wanted = run.choose(FULL, QUICK);
    show(&format!("  inbox and outbox after {wanted} commands"));
    let database = postgresql.database().await?;
    let queues = Queues::start(&system.functions).await?;
    let environment = system
        .functions
        .environment()
        .with_secret("DATABASE_URL", &database.relay_url)
        .with("AWS_ENDPOINT_URL_SQS", &queues.endpoint)
        .with("FACT_QUEUE_URLS", queues.create("facts").await?);
    let _relay = system.functions.start("outbox-relay", "outbox-relay", &environment).await?;
    let login = &database.writer_url;
    let mut writer = Writer::start(&run.bin_dir, login, CREATES, BATCH, CONNECTIONS).await?;
    let mut owner = PgConnection::connect(database.owner_url.expose_secret()).await?;
    let (mut commands, mut seconds, mut lags) = (0.0, 0.0, Vec::new());
    while commands < wanted {
        let turn = writer.turn(TURN).await?;
        commands += turn.commands;
        seconds += turn.seconds;
        lags.push(number(&mut owner, LAG).await?);
    }
    let begun = Instant::now();
    while number(&mut owner, "SELECT count(*)::float8 FROM outbox").await? > 0.0 {
        ensure!(begun.elapsed() < PATIENCE, "facts are left in the outbox after {PATIENCE:?}");
        sleep(POLL).await;
    }
    let caught_up = begun.elapsed().as_secs_f64();
    for table in ["VACUUM inbox", "VACUUM outbox"] {
        owner.execute(table).await?;
    }
    // With those that were written before the first turn, to prepare statements.
    let applied = number(&mut owner, "SELECT count(*)::float8 FROM inbox").await?;
    let inbox = number(&mut owner, "SELECT pg_total_relation_size('inbox')::float8").await?;
    let outbox = number(&mut owner, "SELECT pg_total_relation_size('outbox')::float8").await?;
    ensure!(applied >= commands, "{commands} commands were written, and the inbox has {applied}");
    owner.close().await?;
    Ok(Left {
        commands,
        per_second: commands / seconds,
        inbox: inbox / applied,
        outbox: outbox / applied,
        lag: Spread::of(lags).context("no turn")?,
        caught_up,
    })
}

#[expect(clippy::disallowed_methods, reason = "it looks at what ships, and does not ship")]
async fn number(owner: &mut PgConnection, sql: &'static str) -> Result<f64> {
    Ok(sqlx::query_scalar(sql).fetch_one(owner).await?)
}
