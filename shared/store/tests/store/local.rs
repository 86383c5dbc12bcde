//! The copies in this process: how they are filled, and that Redis's invalidations keep them right.

use std::time::Duration;

use futures::future::join_all;
use nix::sys::signal::Signal;
use store::{Freshness, LocalConfig, Source};
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::cached::Cached;
use crate::fixture::{Fixture, create, new_task, rename};

/// With a task, and a reader that keeps it. The guard ends its listener.
async fn with_local_cache() -> (Cached, DropGuard) {
    let mut cached = Cached::with(&[]).await;
    cached.apply("1", create("Buy milk")).await;
    let reader = cached.fixture.reader.clone();
    let (reader, listener) = reader.with_local_cache(&LocalConfig { local_cache_entries: 100 });
    cached.fixture.reader = reader;
    let stop = CancellationToken::new();
    tokio::spawn(listener.expect("a listener").run(stop.clone()));
    (cached, stop.drop_guard())
}

/// Reads until the version comes from where it is said; no read may go back behind `least`.
async fn until(cached: &Cached, least: i64, expected: (i64, Source)) {
    for left in (0..1_500).rev() {
        let (version, source) = cached.recent().await;
        let version = version.expect("a task");
        assert!(version >= least, "version {version} from {source:?} after {least}");
        if (version, source) == expected {
            return;
        }
        assert!(left > 0, "never {expected:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_task_that_is_read_again_comes_from_this_process_until_it_changes() {
    let (cached, _listener) = with_local_cache().await;
    until(&cached, 1, (1, Source::Local)).await;
    for version in 2..10 {
        cached.apply(&version.to_string(), rename(&format!("Name {version}"), None)).await;
        let current = cached.fixture.reader.read(&cached.tenant, cached.task, Freshness::Current);
        let (task, source) = current.await.expect("an answer");
        assert_eq!((task.map(|task| task.version), source), (Some(version), Source::Database));
        until(&cached, version, (version, Source::Local)).await;
    }
}

#[tokio::test]
async fn what_redis_loses_at_once_is_lost_here_too() {
    let (cached, _listener) = with_local_cache().await;
    until(&cached, 1, (1, Source::Local)).await;
    let _: () =
        redis::cmd("FLUSHALL").exec_async(&mut cached.connection().await).await.expect("done");
    cached.put(7, "{}").await;
    until(&cached, 1, (7, Source::Local)).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_off_costs_no_more_than_its_moment() {
    let (cached, _listener) = with_local_cache().await;
    for version in 2..5 {
        until(&cached, version - 1, (version - 1, Source::Local)).await;
        cut_off(&cached).await;
        cached.apply(&version.to_string(), rename(&format!("Unheard {version}"), None)).await;
        until(&cached, version - 1, (version, Source::Local)).await;
    }
}

/// Ends the connection of the invalidation listener.
async fn cut_off(cached: &Cached) {
    let mut connection = cached.connection().await;
    let list = redis::cmd("CLIENT").arg("LIST").query_async::<String>(&mut connection).await;
    let list = list.expect("a list");
    let listener = list.lines().find(|line| line.contains("flags=tB")).expect(&list);
    let id = listener.strip_prefix("id=").and_then(|rest| rest.split(' ').next()).expect("an id");
    let kill = redis::cmd("CLIENT").arg(&["KILL", "ID", id]).exec_async(&mut connection).await;
    kill.expect("cut off");
}

#[tokio::test]
async fn a_redis_that_hangs_is_believed_no_longer_and_one_that_is_restarted_is_followed_again() {
    let (mut cached, _listener) = with_local_cache().await;
    until(&cached, 1, (1, Source::Local)).await;
    cached.redis.process().signal(Signal::SIGSTOP).expect("stopped");
    cached.apply("2", rename("Unheard", None)).await;
    until(&cached, 1, (2, Source::Database)).await;
    for _ in 0..10 {
        assert_eq!(cached.recent().await, (Some(2), Source::Database));
    }
    cached.redis.kill().await.expect("killed");
    cached.redis.restart().await.expect("restarted");
    until(&cached, 2, (2, Source::Local)).await;
}

#[tokio::test]
async fn a_follower_that_is_stopped_leaves_nothing_to_be_believed() {
    let (cached, listener) = with_local_cache().await;
    until(&cached, 1, (1, Source::Local)).await;
    drop(listener);
    until(&cached, 1, (1, Source::Redis)).await;
    assert_eq!(cached.recent().await.1, Source::Redis);
}

#[tokio::test]
async fn a_hundred_readers_of_what_is_not_cached_are_one_statement() {
    let (cached, _listener) = with_local_cache().await;
    until(&cached, 1, (1, Source::Local)).await;
    cached.evict().await;
    until(&cached, 1, (1, Source::Redis)).await;
    cached.evict().await;
    let without = Fixture::new().await;
    for (fixture, task) in [(&cached.fixture, cached.task), (&without, new_task())] {
        let lock = fixture.lock_tasks().await;
        let read = || fixture.reader.read(&cached.tenant, task, Freshness::Recent);
        let (answers, ()) = tokio::join!(join_all((0..100).map(|_| read())), async {
            fixture.are_waiting(1).await;
            lock.rollback().await.expect("unlocked");
        });
        let sources: Vec<_> =
            answers.into_iter().map(|found| found.expect("an answer").1).collect();
        let misses = sources.iter().filter(|source| **source == Source::Database).count();
        assert_eq!((misses, sources.len()), (1, 100));
    }
}
