//! What the cache keeps, and what happens without it.

use redis::AsyncCommands as _;

use crate::cached::Cached;
use crate::fixture::{create, delete, rename};

#[tokio::test]
async fn a_write_goes_through_and_a_read_is_the_same_bytes_from_both() {
    let cached = Cached::new().await;
    cached.apply("1", create("Buy milk")).await;
    let (version, body) = cached.entry().await;
    assert_eq!(version, Some(1));
    assert_eq!(cached.read().await, body);
    cached.evict().await;
    assert_eq!(cached.read().await, body, "from PostgreSQL");
    assert_eq!(cached.entry().await, (Some(1), body), "the miss filled it");
}

#[tokio::test]
async fn a_lower_version_never_replaces_a_higher_one() {
    let cached = Cached::new().await;
    cached.apply("1", create("Buy milk")).await;
    cached.put(9, "nine").await;
    cached.apply("2", rename("Buy oat milk", None)).await;
    assert_eq!(cached.entry().await, (Some(9), Some("nine".to_owned())));
    assert_eq!(cached.read().await.as_deref(), Some("nine"));
}

#[tokio::test]
async fn a_deleted_task_leaves_a_tombstone_with_its_version() {
    let cached = Cached::new().await;
    cached.apply("1", create("Buy milk")).await;
    cached.apply("2", delete()).await;
    assert_eq!(cached.entry().await, (Some(2), Some(String::new())));
    assert_eq!(cached.read().await, None);
}

#[tokio::test]
async fn entries_expire() {
    let cached = Cached::new().await;
    cached.apply("1", create("Buy milk")).await;
    let left: i64 = cached.connection().await.ttl(cached.key()).await.expect("a time");
    assert!((1..=60).contains(&left), "{left} s");
}

#[tokio::test]
async fn without_redis_everything_works_and_with_it_again_too() {
    let mut cached = Cached::new().await;
    cached.apply("1", create("Buy milk")).await;
    cached.redis.stop().await.expect("stopped");
    cached.apply("2", rename("Buy oat milk", None)).await;
    assert!(cached.read().await.is_some_and(|body| body.contains("Buy oat milk")));

    cached.redis.restart().await.expect("restarted");
    for id in 3..200 {
        cached.apply(&id.to_string(), rename(&format!("Name {id}"), None)).await;
        if cached.entry().await.0.is_some() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the cache was never used again");
}

#[tokio::test]
async fn an_absence_is_cached_for_a_while_and_no_longer_than_until_there_is_a_task() {
    let cached = Cached::new().await;
    assert_eq!(cached.read().await, None);
    assert_eq!(cached.entry().await, (Some(0), Some(String::new())));
    let left: i64 = cached.connection().await.pttl(cached.key()).await.expect("a time");
    assert!((1..=5_000).contains(&left), "{left} ms");
    assert_eq!(cached.recent().await, (None, store::Source::Redis), "PostgreSQL is not read again");

    cached.apply("1", create("Buy milk")).await;
    assert!(cached.read().await.is_some_and(|body| body.contains("Buy milk")));
}

#[tokio::test]
async fn a_cached_absence_never_replaces_a_task_that_was_created_meanwhile() {
    let cached = Cached::new().await;
    let lock = cached.fixture.lock_tasks().await;
    let (read, ()) = tokio::join!(cached.read(), async {
        cached.fixture.are_waiting(1).await;
        // What the writer puts in, once it has committed.
        cached.put(1, "new").await;
        lock.rollback().await.expect("unlocked");
    });
    assert_eq!(read, None, "PostgreSQL said so");
    assert_eq!(cached.entry().await, (Some(1), Some("new".to_owned())));
}
