//! When transactions were committed, as others see it: durably.
//!
//! PostgreSQL's own commit time is from before it waits for the disk, and asking for rows again and again costs it
//! much. So it is asked each millisecond which transactions have ended, which costs the same whatever they do, and
//! afterwards once which transaction wrote which row.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use uuid::Uuid;

use crate::commands::Times;

const PERIOD: Duration = Duration::from_millis(1);

#[derive(Args, Clone)]
pub(crate) struct Database {
    /// As a role that may read the inbox of all tenants
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    url: String,
}

/// Notes which transactions have ended, until it is asked.
pub(crate) struct Watch {
    ended: Arc<AtomicBool>,
    watching: JoinHandle<Result<(PgConnection, Snapshots)>>,
}

/// What was seen: from the first to the last.
#[derive(Default)]
struct Snapshots(Vec<(Instant, Snapshot)>);

/// Which transactions have ended: those before a number, but for some.
#[derive(Debug, PartialEq, Eq)]
struct Snapshot {
    before: u64,
    running: Vec<u64>,
}

impl Watch {
    /// Begins before anything is sent.
    pub(crate) async fn start(database: &Database) -> Result<Self> {
        let mut connection =
            PgConnection::connect(&database.url).await.context("connecting to PostgreSQL")?;
        let mut snapshots = Snapshots::default();
        snapshots.add(&mut connection).await?;
        let ended = Arc::<AtomicBool>::default();
        let watching = tokio::spawn(watch(connection, snapshots, Arc::clone(&ended)));
        Ok(Self { ended, watching })
    }

    /// When each command of that source was committed. All of them are.
    pub(crate) async fn end(self, source: Option<&str>) -> Result<Times> {
        self.ended.store(true, Ordering::Relaxed);
        let (mut connection, snapshots) = self.watching.await??;
        let time = |(task, transaction)| {
            let time = snapshots.ended(transaction).context("a commit was not seen")?;
            Ok((task, time))
        };
        rows(&mut connection, source).await?.into_iter().map(time).collect()
    }
}

async fn watch(
    mut connection: PgConnection,
    mut snapshots: Snapshots,
    ended: Arc<AtomicBool>,
) -> Result<(PgConnection, Snapshots)> {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !ended.load(Ordering::Relaxed) {
        ticks.tick().await;
        snapshots.add(&mut connection).await?;
    }
    snapshots.add(&mut connection).await?;
    Ok((connection, snapshots))
}

#[expect(clippy::disallowed_methods, reason = "the bench has no database when it is built")]
async fn rows(connection: &mut PgConnection, source: Option<&str>) -> Result<Vec<(Uuid, u64)>> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT task_id, xmin::text::bigint FROM inbox WHERE source = $1 OR $1 IS NULL",
    )
    .bind(source)
    .fetch_all(connection)
    .await
    .context("reading the inbox")?;
    rows.into_iter().map(|(task, transaction)| Ok((task, transaction.try_into()?))).collect()
}

impl Snapshots {
    #[expect(clippy::disallowed_methods, reason = "the bench has no database when it is built")]
    async fn add(&mut self, connection: &mut PgConnection) -> Result<()> {
        let text: String = sqlx::query_scalar("SELECT pg_current_snapshot()::text")
            .fetch_one(connection)
            .await
            .context("asking which transactions have ended")?;
        let snapshot = Snapshot::of(&text).with_context(|| format!("no snapshot is {text:?}"))?;
        if self.0.last().is_none_or(|(_, last)| *last != snapshot) {
            self.0.push((Instant::now(), snapshot));
        }
        Ok(())
    }

    /// When a transaction was first seen to have ended.
    fn ended(&self, transaction: u64) -> Option<Instant> {
        let first = self.0.partition_point(|(_, snapshot)| !snapshot.has_ended(transaction));
        self.0.get(first).map(|(time, _)| *time)
    }
}

impl Snapshot {
    /// As PostgreSQL writes it: the first that runs, the first that is to come, and all that run.
    fn of(text: &str) -> Option<Self> {
        let mut parts = text.split(':').skip(1);
        let before = parts.next()?.parse().ok()?;
        let running = parts.next()?.split(',').filter(|it| !it.is_empty());
        Some(Self { before, running: running.map(|it| it.parse().ok()).collect::<Option<_>>()? })
    }

    fn has_ended(&self, transaction: u64) -> bool {
        transaction < self.before && !self.running.contains(&transaction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_ends_when_no_snapshot_says_that_it_runs() {
        let now = Instant::now();
        let at = |millis| now + Duration::from_millis(millis);
        let seen = ["10:10:", "10:12:10", "10:13:10,12", "13:13:"];
        let snapshots = seen
            .iter()
            .zip([0, 1, 2, 3])
            .map(|(text, millis)| (at(millis), Snapshot::of(text).unwrap()));
        let snapshots = Snapshots(snapshots.collect());
        assert_eq!(snapshots.ended(9), Some(at(0)));
        assert_eq!(snapshots.ended(10), Some(at(3)));
        assert_eq!(snapshots.ended(11), Some(at(1)));
        assert_eq!(snapshots.ended(12), Some(at(3)));
        assert_eq!(snapshots.ended(13), None);
        assert_eq!(Snapshot::of("10:x:"), None);
    }
}
