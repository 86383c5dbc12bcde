//! What ends a relay's sleep, and what does not.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::time::{sleep, timeout};

use crate::fixture::Fixture;
use crate::outbox::{LONG, pending};
use crate::outbox_leases::listening;

/// The commit of a fact waits for a lock, when its statement is done.
const HOLD_COMMITS: &str = "
    CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON outbox
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()";
const HELD: &str = "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

#[tokio::test]
async fn a_commit_notifies_who_sleeps_and_nobody_else() {
    let fixture = Fixture::new().await;
    let outbox = fixture.outbox(LONG);
    outbox.lease().await.expect("a lease");
    let listener = outbox.listener();
    listening(&fixture).await;

    fixture.create_tasks(1).await;
    let notified = timeout(Duration::from_millis(300), listener.wait()).await;
    assert!(notified.is_err(), "nobody sleeps, so nobody is notified");

    outbox.set_sleeping(true).await.expect("asleep");
    fixture.create_tasks(1).await;
    listener.wait().await;
    assert!(!listener.shards_are_free(), "it is about facts");

    outbox.set_sleeping(false).await.expect("awake");
    fixture.create_tasks(1).await;
    assert!(timeout(Duration::from_millis(300), listener.wait()).await.is_err(), "awake again");
}

#[tokio::test]
async fn who_slept_when_it_died_costs_writers_nothing() {
    let fixture = Fixture::new().await;
    let outbox = fixture.outbox(LONG);
    outbox.lease().await.expect("a lease");
    outbox.set_sleeping(true).await.expect("asleep");
    fixture.execute("UPDATE outbox_relays SET seen_until = now() - interval '1 second'").await;
    let listener = outbox.listener();
    listening(&fixture).await;
    fixture.create_tasks(1).await;
    assert!(timeout(Duration::from_millis(300), listener.wait()).await.is_err());
}

/// The reason why a relay that sleeps polls by itself.
#[tokio::test]
async fn a_writer_that_looked_before_a_relay_slept_notifies_nobody_when_it_commits() {
    let fixture = Fixture::new().await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let mut notifications = PgListener::connect_with(&fixture.owner).await.expect("a connection");
    notifications.listen("outbox").await.expect("listening");
    fixture.execute(HOLD_COMMITS).await;
    let mut holder = fixture.owner.acquire().await.expect("a connection");

    // Both commit after the relay's poll. The first writes before the relay sleeps, and the second after.
    for sleeps in [false, true] {
        sqlx::raw_sql("SELECT pg_advisory_lock(1)").execute(&mut *holder).await.expect("held");
        let go_to_sleep = async {
            commit_is_held(&fixture).await;
            outbox.set_sleeping(true).await.expect("asleep");
            assert_eq!(pending(&outbox, &lease).await.len(), 0, "polled once more");
            let release = sqlx::raw_sql("SELECT pg_advisory_unlock(1)");
            release.execute(&mut *holder).await.expect("released");
        };
        tokio::join!(fixture.create_tasks(1), go_to_sleep);
        fixture.execute("NOTIFY outbox, 'the next'").await;

        // They come in the order of their commits.
        let first = notifications.recv().await.expect("a notification");
        assert_eq!(first.payload(), if sleeps { "" } else { "the next" });
        if sleeps {
            assert_eq!(notifications.recv().await.expect("another").payload(), "the next");
        }
        let facts = pending(&outbox, &lease).await;
        assert_eq!(facts.len(), 1, "whoever polls again finds it");
        outbox.published(&facts).await.expect("recorded");
    }
}

async fn commit_is_held(fixture: &Fixture) {
    for _ in 0..600 {
        if fixture.look(HELD).await == "1" {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("no commit waits");
}
