//! A poll walks over no dead rows, misses nothing all the same, and identifiers never repeat.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::sleep;

use crate::fixture::Fixture;
use crate::outbox::{LONG, pending};

/// Facts that were published and deleted while somebody holds an old snapshot.
const DEAD: i64 = 40_000;
const MONTH: Duration = Duration::from_hours(30 * 24);
/// So many that walking over the dead rows would show, whoever else reads or writes meanwhile.
const IDLE_POLLS: usize = 100;

impl Fixture {
    /// The blocks of the outbox, the inbox and their indexes that were read by those who have
    /// disconnected.
    async fn outbox_blocks(&self) -> i64 {
        let blocks = "SELECT sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::text
            FROM pg_statio_user_tables WHERE relname IN ('outbox', 'inbox', 'outbox_blocked_tasks')";
        self.look(blocks).await.parse().expect("a count")
    }

    /// Waits until all transactions have ended that may write at the moment, those of other tests too.
    async fn transactions_have_ended(&self) {
        let next = self.look("SELECT pg_current_xact_id()::text").await;
        let next: u64 = next.parse().expect("a number");
        let oldest = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text";
        for _ in 0..1_200 {
            if self.look(oldest).await.parse::<u64>().expect("a number") > next {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("a transaction does not end");
    }

    /// Waits until no relay is connected: what it did is counted then.
    async fn relay_is_gone(&self) {
        let relays = "SELECT count(*)::text FROM pg_stat_activity
            WHERE datname = current_database() AND usename LIKE 'test\\_relay%'";
        for _ in 0..600 {
            if self.look(relays).await == "0" {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(self.look(relays).await, "0", "a relay stays connected");
    }
}

#[tokio::test]
async fn an_idle_poll_walks_over_no_dead_rows_though_an_old_snapshot_keeps_them() {
    let fixture = Fixture::new().await;
    let mut snapshot = fixture.owner.begin().await.expect("a transaction");
    sqlx::raw_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM tasks")
        .execute(&mut *snapshot)
        .await
        .expect("a snapshot");
    fixture
        .execute(
            "INSERT INTO outbox (tenant, task_id, type, data, occurred_at)
             SELECT 'acme', gen_random_uuid(), 't', '{}', now() FROM generate_series(1, 40000);
             DELETE FROM outbox;
             -- As an autovacuum may do at any time: the planner takes the table for empty then.
             ANALYZE outbox;
             -- For others to see now, and not at some later time.
             SELECT pg_stat_force_next_flush()",
        )
        .await;
    let before = fixture.outbox_blocks().await;
    {
        let outbox = store::Outbox::new(fixture.connect_relay(), LONG);
        let lease = outbox.lease().await.expect("a lease");
        for _ in 0..2 {
            assert_eq!(pending(&outbox, &lease).await.len(), 0);
        }
        fixture.transactions_have_ended().await;
        for _ in 0..2 {
            assert_eq!(pending(&outbox, &lease).await.len(), 0);
        }
        for _ in 0..IDLE_POLLS {
            assert_eq!(pending(&outbox, &lease).await.len(), 0);
            outbox.measure(&lease).await.expect("gauges");
        }
    }
    fixture.relay_is_gone().await;
    let read = fixture.outbox_blocks().await - before;
    assert!(read > DEAD / 4, "the first polls look fully: {read}");
    assert!(read < 5 * DEAD, "{IDLE_POLLS} polls and measurements read {read} blocks");
    snapshot.rollback().await.expect("rolled back");
}

/// Old commands that were purged, facts that waited for Redis, and attempts of facts that are refused.
const DEAD_UPKEEP: &str = "
    INSERT INTO inbox SELECT 'acme', '/test', n::text, gen_random_uuid(), '', '{}',
        now() - interval '31 days' FROM generate_series(1, 40000) AS n;
    DELETE FROM inbox;
    INSERT INTO outbox (tenant, task_id, type, data, occurred_at, sent)
    SELECT 'acme', gen_random_uuid(), 't', '{}', now() - interval '1 day', true
    FROM generate_series(1, 40000);
    DELETE FROM outbox;
    INSERT INTO outbox_blocked_tasks (
        tenant, task_id, seq, fact_id, type, occurred_at, reason, attempts, first_failed_at,
        last_failed_at, retry_at
    )
    SELECT 'acme', gen_random_uuid(), n, gen_random_uuid(), 't', now(), 'r', 1, now(), now(),
        now() - interval '1 hour' FROM generate_series(1, 40000) AS n;
    DELETE FROM outbox_blocked_tasks;
    SELECT pg_stat_force_next_flush()";

#[tokio::test]
async fn upkeep_walks_over_dead_rows_once_though_an_old_snapshot_keeps_them() {
    let fixture = Fixture::new().await;
    let mut snapshot = fixture.owner.begin().await.expect("a transaction");
    sqlx::raw_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM tasks")
        .execute(&mut *snapshot)
        .await
        .expect("a snapshot");
    // The purge knows how far it is by what it deleted itself, and that is the newest here.
    fixture.execute(DEAD_UPKEEP).await;
    fixture
        .execute(
            "INSERT INTO inbox VALUES ('acme', '/test', 'last', gen_random_uuid(), '', '{}',
                now() - interval '31 days');
             SELECT pg_stat_force_next_flush()",
        )
        .await;
    let before = fixture.outbox_blocks().await;
    {
        let outbox = store::Outbox::new(fixture.connect_relay(), LONG);
        let lease = outbox.lease().await.expect("a lease");
        for _ in 0..IDLE_POLLS {
            assert!(!outbox.repeat(&lease).await.expect("an answer"));
            assert!(!outbox.purge(&lease, MONTH).await.expect("purged"));
            assert_eq!(pending(&outbox, &lease).await.len(), 0);
        }
    }
    fixture.relay_is_gone().await;
    let read = fixture.outbox_blocks().await - before;
    assert!(read > DEAD / 4, "the first ones look fully: {read}");
    assert!(read < 10 * DEAD, "{IDLE_POLLS} times upkeep read {read} blocks");
    snapshot.rollback().await.expect("rolled back");
}

#[tokio::test]
async fn a_fact_that_commits_after_later_ones_were_published_is_polled() {
    let fixture = Fixture::new().await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let mut slow = fixture.owner.begin().await.expect("a transaction");
    let insert = "INSERT INTO outbox (tenant, task_id, type, data, occurred_at)
        VALUES ('acme', '0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10', 't', '{}', now())";
    sqlx::raw_sql(insert).execute(&mut *slow).await.expect("inserted");
    for _ in 0..5 {
        fixture.create_tasks(20).await;
        let facts = pending(&outbox, &lease).await;
        assert_eq!(facts.len(), 20);
        outbox.published(&facts).await.expect("recorded");
        assert_eq!(pending(&outbox, &lease).await.len(), 0);
    }
    slow.commit().await.expect("committed");
    assert_eq!(pending(&outbox, &lease).await.len(), 1);
}

#[tokio::test]
async fn identifiers_never_repeat_though_the_sequence_does_and_nothing_is_missed() {
    let fixture = Fixture::new().await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let (mut ids, mut seqs) = (HashSet::new(), Vec::new());
    for _ in 0..2 {
        fixture.create_tasks(50).await;
        let facts = pending(&outbox, &lease).await;
        assert_eq!(facts.len(), 50);
        ids.extend(facts.iter().map(|fact| fact.id));
        seqs.extend(facts.iter().map(|fact| fact.seq));
        outbox.published(&facts).await.expect("recorded");
        // A few polls settle what was published.
        for _ in 0..4 {
            assert_eq!(pending(&outbox, &lease).await.len(), 0);
        }
        fixture.execute("ALTER SEQUENCE outbox_seq_seq RESTART").await;
        // An idle relay polls once a second, and sees it.
        assert_eq!(pending(&outbox, &lease).await.len(), 0);
    }
    assert_eq!(seqs[..50], seqs[50..], "the sequence began anew, as after a restore");
    assert_eq!(ids.len(), 100);
}
