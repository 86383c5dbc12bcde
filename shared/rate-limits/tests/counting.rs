//! Rate limits: the script against a model with a clock of its own, and callers against the limits.

#![expect(clippy::expect_used, reason = "a test without its input has failed")]

use std::time::Instant;

use clap::Parser;
use domain::{Actor, TenantId};
use futures::FutureExt as _;
use futures::future::join_all;
use local_stack::{Server, State};
use proptest::prelude::*;
use rate_limits::{Class, RateLimits};
use redis::aio::MultiplexedConnection;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

const GCRA: &str = include_str!("../src/gcra.lua");
/// A point in time, in microseconds.
const BEGIN: u64 = 1_800_000_000_000_000;
/// The shortest interval that is counted with this clock: Redis drops a limit that nobody uses by its own
/// clock, which does not stop for a busy machine.
const MINUTE: u64 = 60_000_000;

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    redis: redis_client::Config,
    #[command(flatten)]
    limits: rate_limits::Config,
}

/// A Redis of the test's own, and its folder, which must outlive it.
async fn redis() -> (Server, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let state = State::open(folder.path()).expect("a state folder");
    (Server::redis(&state).await.expect("a Redis"), folder)
}

fn limits(redis: &Server, settings: &[&str]) -> RateLimits {
    // On a busy machine it answers late.
    let common = ["test", "--redis-timeout-ms=5000", "--redis-url", redis.url().expose_secret()];
    let Settings { redis, limits } = Settings::parse_from(common.iter().chain(settings));
    let redis = redis_client::Redis::connect(&redis).now_or_never();
    RateLimits::new(redis.expect("nothing to wait for").expect("a URL").as_ref(), &limits)
}

fn tenant(name: &str) -> TenantId {
    name.parse().expect("a tenant")
}

fn ann() -> Actor {
    "ann".parse().expect("a caller")
}

struct Script(MultiplexedConnection);

impl Script {
    async fn of(redis: &Server) -> Self {
        let client = redis::Client::open(redis.url().expose_secret()).expect("a URL");
        Self(client.get_multiplexed_async_connection().await.expect("a connection"))
    }

    /// Whether a request is allowed, and the room that is left.
    async fn count(&mut self, key: &str, interval: u64, burst: u64, now: u64) -> (bool, u64) {
        let (taken, room) = self.take(1, key, interval, burst, now).await;
        (taken == 1, room)
    }

    /// How many of so many requests are allowed, and the room that is left.
    async fn take(
        &mut self,
        most: u64,
        key: &str,
        interval: u64,
        burst: u64,
        now: u64,
    ) -> (u64, u64) {
        let mut command = redis::cmd("EVAL");
        command.arg(GCRA).arg(1).arg(key).arg(most).arg(interval).arg(burst).arg(now);
        let (taken, allowed, room): (u64, u64, u64) =
            command.query_async(&mut self.0).await.expect("an answer");
        assert_eq!(allowed, taken.min(1));
        (taken, room)
    }

    /// How often a script was run.
    async fn runs(&mut self) -> usize {
        let stats: String = redis::cmd("INFO")
            .arg("commandstats")
            .query_async(&mut self.0)
            .await
            .expect("an answer");
        let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_eval:calls="));
        calls.and_then(|it| it.split(',').next()?.parse().ok()).expect("calls")
    }
}

/// Credit that grows with time, up to a burst, and that each request takes from: the same, said
/// otherwise.
struct Bucket {
    interval: u64,
    full: u64,
    credit: u64,
    at: u64,
}

impl Bucket {
    fn count(&mut self, now: u64) -> (bool, u64) {
        self.credit = self.full.min(self.credit + (now - self.at));
        self.at = now;
        let allowed = self.credit >= self.interval;
        self.credit -= if allowed { self.interval } else { 0 };
        (allowed, self.credit)
    }
}

#[test]
fn whatever_the_pauses_the_script_allows_what_the_limit_allows() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (redis, _folder) = runtime.block_on(redis());
    let script = tokio::sync::Mutex::new(runtime.block_on(Script::of(&redis)));
    let pause =
        |interval: u64| prop_oneof![Just(0), Just(interval - 1), Just(interval), 0..interval * 3];
    let pauses = |interval| proptest::collection::vec(pause(interval), 1..60);
    let limits = (MINUTE..100 * MINUTE, 1_u64..20);
    let cases =
        limits.prop_flat_map(|(interval, burst)| (Just((interval, burst)), pauses(interval)));
    let config =
        ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(((interval, burst), pauses) in cases)| {
        let key = uuid::Uuid::new_v4().to_string();
        let full = interval * burst;
        let mut bucket = Bucket { interval, full, credit: full, at: BEGIN };
        let (mut now, mut allowed_at) = (BEGIN, Vec::new());
        for pause in pauses {
            now += pause;
            let counted = runtime.block_on(async {
                script.lock().await.count(&key, interval, burst, now).await
            });
            prop_assert_eq!(counted, bucket.count(now));
            allowed_at.extend(counted.0.then_some(now));
        }
        // In no window are there more than a burst and what came back meanwhile.
        for (index, from) in allowed_at.iter().enumerate() {
            for (count, until) in (1_u64..).zip(&allowed_at[index..]) {
                prop_assert!(count <= burst + (until - from) / interval);
            }
        }
    });
}

#[tokio::test]
async fn after_a_clock_went_back_or_a_limit_got_smaller_nobody_waits_for_more_than_one_burst() {
    let (redis, _folder) = redis().await;
    let mut script = Script::of(&redis).await;
    for _ in 0..5 {
        script.count("clock", MINUTE, 5, BEGIN).await;
    }
    let before = BEGIN - 3_600_000_000;
    assert_eq!(script.count("clock", MINUTE, 5, before).await, (false, 0));
    assert_eq!(script.count("clock", MINUTE, 5, before + MINUTE).await, (true, 0));
    for _ in 0..100 {
        script.count("limit", MINUTE, 500, BEGIN).await;
    }
    assert_eq!(script.count("limit", MINUTE, 2, BEGIN).await, (false, 0));
    assert_eq!(script.count("limit", MINUTE, 2, BEGIN + MINUTE).await, (true, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_at_once_get_the_burst_and_what_came_back_and_no_more() {
    let (redis, _folder) = redis().await;
    // One comes back each 100 ms.
    let settings = ["--rate-limit-read-per-minute=600", "--rate-limit-read-burst=50"];
    let replicas: Vec<_> = (0..4).map(|_| limits(&redis, &settings)).collect();
    let begun = Instant::now();
    let callers = (0..400).map(|number: usize| {
        let limits = replicas[number % replicas.len()].clone();
        tokio::spawn(async move { limits.of(Class::Read).count(&tenant("acme"), &ann()).await })
    });
    let standings = join_all(callers).await.into_iter();
    let allowed = standings.filter(|status| {
        status.as_ref().expect("no panic").first().expect("it is limited").allowed
    });
    let allowed = allowed.count();
    let came_back = usize::try_from(begun.elapsed().as_millis() / 100).expect("a short time") + 1;
    assert!((50..=50 + came_back).contains(&allowed), "{allowed} in {:?}", begun.elapsed());
}

#[tokio::test]
async fn as_many_are_taken_as_the_limit_allows() {
    let (redis, _folder) = redis().await;
    let mut script = Script::of(&redis).await;
    assert_eq!(script.take(3, "key", MINUTE, 5, BEGIN).await, (3, 2 * MINUTE));
    assert_eq!(script.take(3, "key", MINUTE, 5, BEGIN).await, (2, 0));
    assert_eq!(script.take(3, "key", MINUTE, 5, BEGIN + MINUTE - 1).await, (0, MINUTE - 1));
    assert_eq!(script.take(3, "key", MINUTE, 5, BEGIN + MINUTE).await, (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn busy_replicas_ask_redis_seldom_and_allow_the_burst_less_what_the_others_hold() {
    let (redis, _folder) = redis().await;
    let settings = ["--rate-limit-read-per-minute=1", "--rate-limit-read-burst=2000"];
    let replicas: Vec<_> = (0..3).map(|_| limits(&redis, &settings)).collect();
    let begun = Instant::now();
    let allowed = join_all(replicas.iter().map(async |limits| {
        let mut allowed = 0;
        for _ in 0..900 {
            let statuses = limits.of(Class::Read).count(&tenant("acme"), &ann()).await;
            allowed += usize::from(statuses.first().expect("it is limited").allowed);
        }
        allowed
    }));
    let allowed: usize = allowed.await.into_iter().sum();
    // A lease holds 20 at most. On a busy machine some expire, one each second in each replica.
    let leases = 3 * (1 + usize::try_from(begun.elapsed().as_secs()).expect("a short time"));
    let came_back = leases / 60 + 1;
    assert!((2_000 - leases * 20..=2_000 + came_back).contains(&allowed), "{allowed}");
    // What is refused is counted one by one, and a lease grows to its size in five steps.
    let runs = Script::of(&redis).await.runs().await;
    let most = (2_700 - allowed) + allowed / 20 + leases * 5;
    assert!(runs <= most, "{runs} round trips, {allowed} allowed");
}

#[tokio::test]
async fn tenants_and_classes_are_counted_apart() {
    let (redis, _folder) = redis().await;
    let settings = [
        "--rate-limit-read-per-minute=1",
        "--rate-limit-read-burst=2",
        "--rate-limit-write-per-minute=1",
        "--rate-limit-write-burst=1",
        "--rate-limit-list-per-minute=0",
    ];
    let limits = limits(&redis, &settings);
    let count = async |name: &str, class| {
        let statuses = limits.of(class).count(&tenant(name), &ann()).await;
        statuses.first().map(|status| (status.allowed, status.remaining))
    };
    assert_eq!(count("acme", Class::Read).await, Some((true, 1)));
    assert_eq!(count("acme", Class::Read).await, Some((true, 0)));
    assert_eq!(count("acme", Class::Read).await, Some((false, 0)));
    assert_eq!(count("acme", Class::Write).await, Some((true, 0)));
    assert_eq!(count("acme", Class::List).await, None, "0 is no limit");
    assert_eq!(count("other", Class::Read).await, Some((true, 1)));
}

#[tokio::test]
async fn what_was_counted_in_advance_is_of_one_caller_of_one_tenant_and_of_one_class() {
    let (redis, _folder) = redis().await;
    let settings = [
        "--rate-limit-read-per-minute=1",
        "--rate-limit-read-burst=2000",
        "--rate-limit-list-per-minute=1",
        "--rate-limit-list-burst=600",
        "--rate-limit-caller-percent=50",
    ];
    let limits = limits(&redis, &settings);
    let left = async |name: &str, caller: &str, class| {
        let caller = caller.parse().expect("a caller");
        let statuses = limits.of(class).count(&tenant(name), &caller).await;
        statuses.last().expect("a limit").remaining
    };
    for counted in 1..=2 {
        assert_eq!(left("acme", "ann", Class::Read).await, 1_000 - counted);
    }
    // One more of ann's reads is counted now.
    assert_eq!(left("acme", "bob", Class::Read).await, 999);
    assert_eq!(left("other", "ann", Class::Read).await, 999);
    assert_eq!(left("acme", "ann", Class::List).await, 299);
}

#[tokio::test]
async fn a_caller_has_a_share_and_what_it_is_refused_takes_nothing_of_its_tenant() {
    let (redis, _folder) = redis().await;
    let settings = [
        "--rate-limit-write-per-minute=1",
        "--rate-limit-write-burst=4",
        "--rate-limit-caller-percent=50",
    ];
    let limits = limits(&redis, &settings);
    let count = async |tenant: &str, caller: &str| {
        let caller = caller.parse().expect("a caller");
        let statuses =
            limits.of(Class::Write).count(&tenant.parse().expect("a tenant"), &caller).await;
        let statuses = statuses.iter();
        statuses.map(|it| (it.whose.as_str(), it.allowed, it.remaining)).collect::<Vec<_>>()
    };
    assert_eq!(count("acme", "ann").await, [("tenant", true, 3), ("caller", true, 1)]);
    assert_eq!(count("acme", "ann").await, [("tenant", true, 2), ("caller", true, 0)]);
    for _ in 0..3 {
        assert_eq!(count("acme", "ann").await, [("tenant", true, 2), ("caller", false, 0)]);
    }
    assert_eq!(count("acme", "{bob}").await, [("tenant", true, 1), ("caller", true, 1)]);
    assert_eq!(count("acme", "{bob}").await, [("tenant", true, 0), ("caller", true, 0)]);
    // What the tenant is refused takes nothing of the caller.
    assert_eq!(count("acme", "eve").await, [("tenant", false, 0), ("caller", true, 2)]);
    assert_eq!(count("other", "ann").await, [("tenant", true, 3), ("caller", true, 1)]);
}

#[tokio::test]
async fn without_redis_nothing_is_limited_and_with_it_again_it_is() {
    let (mut redis, _folder) = redis().await;
    let settings = ["--rate-limit-bulk-per-minute=1", "--rate-limit-bulk-burst=1"];
    let limits = limits(&redis, &settings);
    let count =
        async || limits.of(Class::Bulk).count(&tenant("acme"), &ann()).await.first().copied();
    assert!(count().await.expect("it is limited").allowed);
    assert!(!count().await.expect("it is limited").allowed);
    redis.stop().await.expect("stopped");
    for _ in 0..3 {
        assert_eq!(count().await, None);
    }
    redis.restart().await.expect("restarted");
    for _ in 0..200 {
        if count().await.is_some() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nothing was limited again");
}
