//! What the tests of the outbox share, and what becomes of old rows.

use std::collections::HashSet;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::PgPool;
use store::{Lease, Outbox, PendingFact};
use tokio::time::sleep;

use crate::fixture::{Fixture, create, incoming, new_task};

/// Longer than any of these tests.
pub(crate) const LONG: Duration = Duration::from_mins(10);

impl Fixture {
    /// A replica of the relay.
    pub(crate) fn outbox(&self, lease: Duration) -> Outbox {
        Outbox::new(self.relay.clone(), lease)
    }

    pub(crate) async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.owner).await.expect("done");
    }

    /// Creates that many tasks.
    pub(crate) async fn create_tasks(&self, count: usize) {
        let batch = (0..count).map(|_| {
            let task = new_task();
            incoming(&task.to_string(), task, create("Buy milk"))
        });
        self.apply(batch.collect()).await;
    }
}

/// All that the replica may publish at the moment.
pub(crate) async fn pending(outbox: &Outbox, lease: &Lease) -> Vec<PendingFact> {
    outbox.pending(lease, 10_000).await.expect("facts")
}

pub(crate) fn shards(leases: &[&Lease]) -> Vec<i16> {
    let mut shards: Vec<_> = leases.iter().flat_map(|lease| lease.shards.clone()).collect();
    shards.sort_unstable();
    assert_eq!(shards.iter().collect::<HashSet<_>>().len(), shards.len(), "held twice: {shards:?}");
    shards
}

/// A plan is kept. One that reads all of a table that is small, as after a vacuum, would read all that was deleted
/// since, too.
#[tokio::test]
async fn no_statement_of_the_relay_reads_all_of_the_outbox() {
    const ENOUGH_ROUNDS: i64 = 20;
    let fixture = Fixture::new().await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    fixture.execute("VACUUM (ANALYZE) outbox").await;
    let (before, ..) = fixture.scans(&["outbox"]).await;
    // A poll looks at each shard.
    let enough = ENOUGH_ROUNDS * i64::try_from(lease.shards.len()).expect("a few");
    for _ in 0..600 {
        fixture.create_tasks(4).await;
        outbox.published(&pending(&outbox, &lease).await).await.expect("published");
        let (whole, by_index, _) = fixture.scans(&["outbox"]).await;
        assert_eq!(whole, before, "the whole table");
        if by_index > enough {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing was read by an index");
}

#[tokio::test]
async fn a_purge_takes_old_commands_and_keeps_young_ones() {
    let fixture = Fixture::new().await;
    let outbox = fixture.outbox(LONG);
    fixture.create_tasks(3).await;
    fixture
        .execute(
            "UPDATE inbox SET processed_at = now();
             UPDATE inbox SET processed_at = now() - interval '31 days'
             WHERE task_id = (SELECT min(task_id::text)::uuid FROM inbox)",
        )
        .await;
    let month = Duration::from_hours(30 * 24);
    let lease = outbox.lease().await.expect("a lease");
    assert!(!outbox.purge(&lease, month).await.expect("purged"), "nothing is left to purge");
    assert_eq!(fixture.look("SELECT count(*)::text FROM inbox").await, "2");
}

#[tokio::test]
async fn a_purge_takes_a_bounded_number_of_rows_at_a_time() {
    let fixture = Fixture::new().await;
    let outbox = fixture.outbox(LONG);
    fixture
        .execute(
            "INSERT INTO inbox SELECT 'acme', '/test', n::text, gen_random_uuid(), '', '{}',
                    now() - interval '31 days' FROM generate_series(1, 1500) AS n",
        )
        .await;
    let month = Duration::from_hours(30 * 24);
    let lease = outbox.lease().await.expect("a lease");
    assert!(outbox.purge(&lease, month).await.expect("purged"), "there is more");
    assert_eq!(fixture.look("SELECT count(*)::text FROM inbox").await, "500");
    assert!(!outbox.purge(&lease, month).await.expect("purged"), "there is no more");
    assert_eq!(fixture.look("SELECT count(*)::text FROM inbox").await, "0");
}

#[tokio::test]
async fn a_purge_takes_what_waits_for_redis_for_longer_than_anything_stays_there() {
    let fixture = Fixture::new().await;
    fixture.create_tasks(3).await;
    fixture
        .execute(
            "UPDATE outbox SET occurred_at = now();
             UPDATE outbox SET occurred_at = now() - interval '1 day' WHERE seq <= 2;
             UPDATE outbox SET sent = true WHERE seq >= 2",
        )
        .await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    outbox.purge(&lease, LONG).await.expect("purged");
    let left = "SELECT string_agg(seq::text, ' ' ORDER BY seq) FROM outbox";
    assert_eq!(fixture.look(left).await, "1 3", "what is pending stays, however old");
}

#[tokio::test]
async fn a_relay_sees_every_tenant_and_writes_no_task_no_command_and_no_fact() {
    let fixture = Fixture::new().await;
    fixture.create_tasks(1).await;
    let relay = PgPool::connect(fixture.database.relay_url.expose_secret()).await.expect("a login");
    for sql in [
        "UPDATE tasks SET title = 'x'",
        "DELETE FROM tasks",
        "UPDATE inbox SET outcome = '{}'",
        "UPDATE outbox SET data = '{}'",
        "INSERT INTO outbox (tenant, task_id, type, data, occurred_at)
         VALUES ('acme', gen_random_uuid(), 't', '{}', now())",
        "INSERT INTO outbox_shards (shard) VALUES (16)",
    ] {
        let error = sqlx::raw_sql(sql).execute(&relay).await.expect_err(sql);
        assert!(error.to_string().contains("permission denied"), "{sql}: {error}");
    }
    let seen: i64 =
        sqlx::query_scalar("SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM inbox)")
            .fetch_one(&relay)
            .await
            .expect("a count");
    assert_eq!(seen, 2);
}
