//! What commands leave in the database: their traces in the inbox, and the space that facts took in the
//! outbox until they were published. And how far behind the relay falls meanwhile.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::figures::Spread;
use crate::part::Run;
use crate::postgresql::PostgreSql;
use crate::published::Published;
use crate::show;
use crate::system::System;

const FULL: f64 = 1e6;
const QUICK: f64 = 20_000.0;
const TURN: Duration = Duration::from_secs(1);

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
    let mut published = Published::start(run, &system.functions, postgresql).await?;
    let (mut commands, mut seconds, mut lags) = (0.0, 0.0, Vec::new());
    while commands < wanted {
        let turn = published.writer.turn(TURN).await?;
        commands += turn.commands;
        seconds += turn.seconds;
        lags.push(published.lag().await?);
    }
    let caught_up = published.caught_up().await?;
    for table in ["VACUUM inbox", "VACUUM outbox"] {
        published.execute(table).await?;
    }
    // With those that were written before the first turn, to prepare statements.
    let applied = published.number("SELECT count(*)::float8 FROM inbox").await?;
    let inbox = published.number("SELECT pg_total_relation_size('inbox')::float8").await?;
    let outbox = published.number("SELECT pg_total_relation_size('outbox')::float8").await?;
    ensure!(applied >= commands, "{commands} commands were written, and the inbox has {applied}");
    Ok(Left {
        commands,
        per_second: commands / seconds,
        inbox: inbox / applied,
        outbox: outbox / applied,
        lag: Spread::of(lags).context("no turn")?,
        caught_up,
    })
}
