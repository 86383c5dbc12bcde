//! How old a read can be, whatever becomes of Redis.

use std::time::{Duration, SystemTime};

use nix::sys::signal::Signal;
use redis::AsyncCommands as _;
use store::{Freshness, LocalConfig, Source};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::cached::Cached;
use crate::fixture::{create, delete, rename};

/// The default of `CACHE_TTL_SECONDS`.
const BOUND: Duration = Duration::from_secs(10);

/// The version that a reader gets who wants one so recent, and where it came from.
async fn read(cached: &Cached, freshness: Freshness) -> (Option<i64>, Source) {
    let read = cached.fixture.reader.read(&cached.tenant, cached.task, freshness).await;
    let (task, source) = read.expect("an answer");
    (task.map(|task| task.version), source)
}

fn ago(age: Duration) -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time");
    now.saturating_sub(age)
}

#[tokio::test]
async fn the_current_version_comes_from_postgresql_and_sets_the_copies_right() {
    let cached = Cached::new().await;
    cached.apply("1", create("Milk")).await;
    assert_eq!(read(&cached, Freshness::Current).await, (Some(1), Source::Database));
    cached.miss("2", rename("Oat milk", None)).await;
    assert_eq!(read(&cached, Freshness::Recent).await, (Some(1), Source::Redis), "Redis missed it");
    assert_eq!(read(&cached, Freshness::Current).await, (Some(2), Source::Database));
    assert_eq!(read(&cached, Freshness::Recent).await, (Some(2), Source::Redis));
    cached.miss("3", delete()).await;
    assert_eq!(read(&cached, Freshness::Current).await, (None, Source::Database));
    assert_eq!(read(&cached, Freshness::Recent).await, (None, Source::Redis));
}

#[tokio::test]
async fn what_is_read_from_postgresql_takes_no_copy_back() {
    let cached = Cached::new().await;
    cached.apply("1", create("Milk")).await;
    cached.put(9, "nine").await;
    assert_eq!(read(&cached, Freshness::Current).await, (Some(1), Source::Database));
    assert_eq!(cached.entry().await, (Some(9), Some("nine".to_owned())));
}

#[tokio::test]
async fn a_copy_is_used_until_its_age_and_no_longer() {
    let cached = Cached::new().await;
    cached.apply("1", create("Milk")).await;
    let (young, second) = (Duration::from_secs(6), Duration::from_secs(1));
    let of = async |age: Duration, freshness: Freshness| {
        cached.put_of(9, "nine", ago(age)).await;
        read(&cached, freshness).await
    };
    let within = |seconds| Freshness::Within(Duration::from_secs(seconds));
    assert_eq!(of(young, Freshness::Recent).await, (Some(9), Source::Redis));
    assert_eq!(of(young, within(9)).await, (Some(9), Source::Redis));
    assert_eq!(of(young, within(5)).await, (Some(1), Source::Database));
    assert_eq!(of(BOUND, Freshness::Recent).await, (Some(1), Source::Database));
    assert_eq!(of(BOUND, within(3_600)).await, (Some(1), Source::Database));
    assert_eq!(of(BOUND * 1_000, Freshness::Recent).await, (Some(1), Source::Database));
    cached.put_of(9, "nine", ago(Duration::ZERO) + second * 5).await;
    assert_eq!(
        read(&cached, Freshness::Recent).await,
        (Some(1), Source::Database),
        "of the future"
    );
}

#[tokio::test]
async fn a_copy_in_this_process_is_used_no_longer_than_the_one_in_redis() {
    let mut cached = Cached::new().await;
    cached.apply("1", create("Milk")).await;
    let (reader, listener) =
        cached.fixture.reader.with_local_cache(&LocalConfig { local_cache_entries: 100 });
    cached.fixture.reader = reader;
    let stop = CancellationToken::new();
    tokio::spawn(listener.expect("a listener").run(stop.clone()));
    let as_of = ago(Duration::from_secs(7));
    cached.put_of(9, "nine", as_of).await;
    let mut sources = Vec::new();
    loop {
        let begun = ago(Duration::ZERO);
        let (version, source) = read(&cached, Freshness::Recent).await;
        if version == Some(1) {
            break;
        }
        assert!(begun < as_of + BOUND, "version {version:?} from {source:?} is too old");
        sources.push(source);
        sleep(Duration::from_millis(20)).await;
    }
    assert!(sources.contains(&Source::Local), "{sources:?}");
    stop.cancel();
}

/// The copy sits in the connection while Redis is frozen, and Redis keeps it for as long as any, from
/// when it is there.
#[tokio::test]
async fn what_a_frozen_redis_takes_late_is_as_old_as_it_is() {
    let bound = Duration::from_secs(1);
    let mut cached = Cached::with(&["--cache-ttl-seconds=1"]).await;
    cached.apply("1", create("Milk")).await;
    cached.evict().await;
    // Its connection must be there.
    assert_eq!(read(&cached, Freshness::Recent).await, (Some(1), Source::Database));
    cached.evict().await;
    cached.redis.process().signal(Signal::SIGSTOP).expect("stopped");
    assert_eq!(read(&cached, Freshness::Recent).await, (Some(1), Source::Database));
    let filled = ago(Duration::ZERO);
    cached.miss("2", rename("Oat milk", None)).await;
    while ago(Duration::ZERO) < filled + bound {
        sleep(Duration::from_millis(20)).await;
    }
    cached.redis.process().signal(Signal::SIGCONT).expect("continued");
    let exists: bool = cached.connection().await.exists(cached.key()).await.expect("an answer");
    assert!(exists, "it was taken late");
    for _ in 0..20 {
        assert_eq!(read(&cached, Freshness::Recent).await.0, Some(2));
    }
}
