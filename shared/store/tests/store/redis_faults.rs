//! Redis slow, frozen and failed over: what it costs, and that it is used again without a restart.

use std::time::Duration;

use futures::future::join_all;
use local_stack::{Proxy, Server};
use rate_limits::{Class, RateLimits};
use redis::aio::MultiplexedConnection;
use secrecy::ExposeSecret as _;
use store::Source;
use tokio::time::{Instant, sleep};

use crate::cached::{Cached, limits_by, redis};
use crate::fixture::{create, rename};

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A task that is cached by way of a proxy, and limits that are counted so.
struct ProxiedCache {
    cached: Cached,
    proxy: Proxy,
    limits: RateLimits,
    version: i64,
}

impl ProxiedCache {
    async fn new() -> Self {
        let (redis, folder) = redis().await;
        let proxy = Proxy::start(redis.url()).await.expect("a proxy");
        let url = proxy.url().expose_secret();
        let cached = Cached::by(redis, folder, url, &[]).await;
        let limits = limits_by(url, &[]);
        let mut proxied = Self { cached, proxy, limits, version: 0 };
        proxied.works_again().await;
        proxied
    }

    /// Waits until a change is written through, read from Redis, and counted there.
    async fn works_again(&mut self) {
        let end = Instant::now() + PATIENCE;
        while !self.works().await {
            assert!(Instant::now() < end, "Redis was never used again");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn works(&mut self) -> bool {
        let caller = "ann".parse().expect("a caller");
        let counted = self.limits.of(Class::Read).count(&self.cached.tenant, &caller).await;
        let is_counted = !counted.is_empty();
        self.version += 1;
        let action = match self.version {
            1 => create("Milk"),
            version => rename(&format!("Name {version}"), None),
        };
        self.cached.apply(&self.version.to_string(), action).await;
        let (version, source) = self.cached.recent().await;
        is_counted && (version, source) == (Some(self.version), Source::Redis)
    }
}

async fn connection(redis: &Server) -> MultiplexedConnection {
    let client = redis::Client::open(redis.url().expose_secret()).expect("a URL");
    client.get_multiplexed_async_connection().await.expect("a connection")
}

async fn send(redis: &Server, command: &[&str]) {
    let (name, arguments) = command.split_first().expect("a command");
    let command = redis::cmd(name).arg(arguments).exec_async(&mut connection(redis).await).await;
    command.expect("done");
}

#[tokio::test]
async fn after_a_fail_over_the_new_primary_is_used_though_no_connection_was_closed() {
    let reads_only: &[&str] = &[];
    let without_primary = &["replica-serve-stale-data", "no"];
    for (is_answered, settings) in [("READONLY", reads_only), ("MASTERDOWN", without_primary)] {
        let mut proxied = ProxiedCache::new().await;
        let (primary, _folder) = redis().await;
        let (_, port) = primary.url().expose_secret().rsplit_once(':').expect("a port");
        let old = &proxied.cached.redis;
        if !settings.is_empty() {
            send(old, &[&["CONFIG", "SET"], settings].concat()).await;
        }
        let port = if is_answered == "MASTERDOWN" { "1" } else { port };
        send(old, &["REPLICAOF", "127.0.0.1", port]).await;
        answers(old, is_answered).await;
        assert!(!proxied.works().await, "it takes no writes");
        proxied.proxy.lead_to(primary.url()).expect("led");
        proxied.works_again().await;
    }
}

/// Waits until a write or a read is answered so.
async fn answers(redis: &Server, code: &str) {
    let end = Instant::now() + PATIENCE;
    let client = redis::Client::open(redis.url().expose_secret()).expect("a URL");
    loop {
        if let Ok(mut connection) = client.get_multiplexed_async_connection().await {
            for words in [&["SET", "a", "b"][..], &["GET", "a"]] {
                let said = redis::cmd(words[0]).arg(&words[1..]).exec_async(&mut connection).await;
                if said.is_err_and(|error| error.code() == Some(code)) {
                    return;
                }
            }
        }
        assert!(Instant::now() < end, "never {code}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn connections_that_freeze_are_made_anew() {
    let mut proxied = ProxiedCache::new().await;
    for _ in 0..2 {
        proxied.proxy.freeze();
        assert!(!proxied.works().await);
        proxied.works_again().await;
    }
}

#[tokio::test]
async fn one_slow_answer_costs_only_those_who_wait_for_it() {
    let cached = Cached::with(&["--redis-timeout-ms=500"]).await;
    cached.apply("1", create("Milk")).await;
    assert_eq!(cached.recent().await, (Some(1), Source::Redis));
    send(&cached.redis, &["CLIENT", "PAUSE", "800", "ALL"]).await;
    let (current, slow) = tokio::join!(
        cached.fixture.current(&cached.tenant, cached.task),
        join_all((0..20).map(|_| cached.recent())),
    );
    assert_eq!(current.map(|task| task.version), Some(1));
    assert!(slow.iter().all(|(version, _)| *version == Some(1)), "{slow:?}");
    assert!(slow.contains(&(Some(1), Source::Database)), "PostgreSQL was read instead: {slow:?}");
    assert_eq!(cached.recent().await, (Some(1), Source::Redis), "Redis is read again at once");
}

#[tokio::test]
async fn a_connection_that_was_closed_while_nobody_used_it_costs_no_write() {
    let cached = Cached::new().await;
    cached.apply("1", create("Milk")).await;
    for version in 2..10 {
        send(&cached.redis, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
        cached.apply(&version.to_string(), rename(&format!("Name {version}"), None)).await;
        assert_eq!(cached.entry().await.0, Some(version));
    }
}

#[tokio::test]
async fn a_server_that_loads_after_a_restart_is_used_once_it_has_loaded() {
    let mut proxied = ProxiedCache::new().await;
    let redis = &mut proxied.cached.redis;
    // Some seconds of loading, during which it answers.
    let filled = "for n = 1, 300 do redis.call('SET', 'filler:' .. n, string.rep('x', 2000)) end";
    send(redis, &["EVAL", filled, "0"]).await;
    send(redis, &["CONFIG", "SET", "rdbcompression", "no"]).await;
    send(redis, &["CONFIG", "SET", "key-load-delay", "10000"]).await;
    send(redis, &["CONFIG", "SET", "loading-process-events-interval-bytes", "1024"]).await;
    send(redis, &["CONFIG", "REWRITE"]).await;
    send(redis, &["SAVE"]).await;
    redis.restart().await.expect("restarted");
    answers(redis, "LOADING").await;
    assert!(!proxied.works().await, "it loads");
    proxied.works_again().await;
}
