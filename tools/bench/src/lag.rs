//! How far the relay falls behind while facts are written for a long time, at a rate that the machine
//! bears.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::{Instant, sleep_until};

use crate::figures::Percentiles;
use crate::functions::Functions;
use crate::part::Run;
use crate::postgresql::PostgreSql;
use crate::published::Published;
use crate::show;

const FULL: Duration = Duration::from_hours(1);
const QUICK: Duration = Duration::from_secs(20);
const SECOND: Duration = Duration::from_secs(1);
/// Of each second, in which batches are begun, one after the other.
const WRITING: Duration = Duration::from_millis(50);

pub(crate) async fn measure(run: &Run) -> Result<String> {
    let functions = Functions::of(&run.bin_dir)?;
    let postgresql = PostgreSql::start(&run.folder).await?;
    let mut published = Published::start(run, &functions, &postgresql).await?;
    let time = run.choose(FULL, QUICK);
    show(&format!("  the lag of the relay within {} s", time.as_secs()));
    let (begun, mut commands, mut lags) = (Instant::now(), 0.0, Vec::new());
    let mut next = begun;
    while begun.elapsed() < time {
        commands += published.writer.turn(WRITING).await?.commands;
        lags.push(published.lag().await? * 1e3);
        next += SECOND;
        sleep_until(next).await;
    }
    let per_second = commands / begun.elapsed().as_secs_f64();
    let greatest = lags.iter().copied().fold(0.0, f64::max);
    let Percentiles { p50, p99, p999 } = Percentiles::of(lags).context("no second")?;
    let caught_up = published.caught_up().await?;
    let dead = published
        .number("SELECT n_dead_tup::float8 FROM pg_stat_user_tables WHERE relname = 'outbox'")
        .await?;
    let outbox = published.number("SELECT pg_total_relation_size('outbox')::float8").await?;
    Ok(format!(
        "## The relay's lag\n\n\
         {commands:.0} creates in {} s, {per_second:.0} a second, written in batches of 100, all at the beginning of each second,\n\
         while `outbox-relay` publishes their facts to one FIFO queue. The lag is the age of the oldest fact that is not\n\
         published once the last of them is written. Autovacuum has its defaults.\n\n\
         | what | value |\n|---|---|\n\
         | lag: p50, p99, p99.9 and the greatest, ms | {p50:.0}, {p99:.0}, {p999:.0}, {greatest:.0} |\n\
         | from the last second until nothing was left to publish, s | {caught_up:.1} |\n\
         | outbox afterwards with its indexes, MiB; rows of it that no vacuum has removed yet | {:.1}; {dead:.0} |\n",
        time.as_secs(),
        outbox / f64::from(1 << 20),
    ))
}
