//! Who holds which shards of the outbox.

use std::time::Duration;

use futures::future::join_all;
use store::{Lease, Outbox, SHARDS};
use tokio::time::{Instant, sleep, sleep_until};

use crate::fixture::Fixture;
use crate::outbox::{LONG, shards};

const SHORT: Duration = Duration::from_secs(1);

async fn lease(outbox: &Outbox) -> Lease {
    outbox.lease().await.expect("a lease")
}

#[tokio::test]
async fn one_replica_holds_all_and_gives_the_second_one_half() {
    let fixture = Fixture::new().await;
    let (first, second) = (fixture.outbox(LONG), fixture.outbox(LONG));
    assert_eq!(lease(&first).await.shards.len(), SHARDS);
    assert_eq!(lease(&second).await.shards.len(), 0, "nothing is free yet");
    let first = lease(&first).await;
    let second = lease(&second).await;
    assert_eq!((first.shards.len(), second.shards.len()), (8, 8));
    assert_eq!(shards(&[&first, &second]).len(), SHARDS);
    assert!(first.is_first() && !second.is_first(), "one of them purges");
}

#[tokio::test]
async fn three_replicas_share_fairly_and_leave_nothing_to_nobody() {
    let fixture = Fixture::new().await;
    let replicas = [(); 3].map(|()| fixture.outbox(LONG));
    for _ in 0..2 {
        for replica in &replicas {
            lease(replica).await;
        }
    }
    let leases = join_all(replicas.iter().map(lease)).await;
    assert_eq!(shards(&leases.iter().collect::<Vec<_>>()).len(), SHARDS);
    assert!(leases.iter().all(|lease| (4..=6).contains(&lease.shards.len())), "{leases:?}");
}

#[tokio::test]
async fn a_replica_that_is_gone_is_taken_over_from_when_its_lease_has_ended() {
    let fixture = Fixture::new().await;
    let (gone, heir) = (fixture.outbox(SHORT), fixture.outbox(SHORT));
    assert_eq!(lease(&gone).await.shards.len(), SHARDS);
    assert_eq!(lease(&heir).await.shards.len(), 0, "the lease still lasts");
    sleep(SHORT).await;
    assert_eq!(lease(&heir).await.shards.len(), SHARDS);
    assert_eq!(lease(&gone).await.shards.len(), 0, "it comes back with nothing");
}

#[tokio::test]
async fn a_lease_ends_earlier_for_its_holder_than_for_the_database() {
    let fixture = Fixture::new().await;
    let outbox = fixture.outbox(SHORT);
    let lease = lease(&outbox).await;
    assert!(lease.until <= Instant::now() + SHORT * 4 / 5, "a fifth earlier than it ends");
    sleep_until(lease.until).await;
    let lapsed = "SELECT count(*)::text FROM outbox_shards WHERE leased_until <= now()";
    assert_eq!(fixture.look(lapsed).await, "0");
    assert!(lease.renew_at < lease.until);
}

#[tokio::test]
async fn what_is_released_is_free_at_once_and_the_others_are_notified() {
    let fixture = Fixture::new().await;
    let (drained, heir) = (fixture.outbox(LONG), fixture.outbox(LONG));
    lease(&drained).await;
    lease(&heir).await;
    let listener = heir.listener();
    listening(&fixture).await;
    assert!(!listener.shards_are_free());

    drained.release().await.expect("released");
    listener.wait().await;
    assert!(listener.shards_are_free());
    assert_eq!(lease(&heir).await.shards.len(), SHARDS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_shard_ever_has_two_holders_however_many_want_it_at_once() {
    let fixture = Fixture::new().await;
    let replicas: Vec<_> = (0..6).map(|_| fixture.outbox(LONG)).collect();
    for round in 0..20 {
        let some = &replicas[round % 3..];
        let leases = join_all(some.iter().map(lease)).await;
        shards(&leases.iter().collect::<Vec<_>>());
        replicas[round % 6].release().await.expect("released");
    }
}

#[tokio::test]
async fn a_replica_that_is_gone_keeps_nothing_though_the_clock_of_the_database_went_back() {
    let fixture = Fixture::new().await;
    assert_eq!(lease(&fixture.outbox(LONG)).await.shards.len(), SHARDS);
    let replica = fixture.outbox(LONG);
    for end in ["now() + interval '1 day'", "'infinity'"] {
        let ahead = format!(
            "UPDATE outbox_shards SET holder = gen_random_uuid(), leased_until = {end};
             UPDATE outbox_relays SET seen_until = {end}"
        );
        let ahead = sqlx::raw_sql(sqlx::AssertSqlSafe(ahead)).execute(&fixture.owner).await;
        ahead.expect("a change");
        assert_eq!(lease(&replica).await.shards.len(), SHARDS, "{end}");
    }
}

/// Waits until somebody listens.
pub(crate) async fn listening(fixture: &Fixture) {
    let sql = "SELECT count(*)::text FROM pg_stat_activity
        WHERE datname = current_database() AND query ILIKE 'LISTEN %'";
    for _ in 0..200 {
        if fixture.look(sql).await != "0" {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert_ne!(fixture.look(sql).await, "0", "nobody listens");
}
