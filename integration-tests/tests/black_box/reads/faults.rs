//! A checker of versions while Redis fails in every way: a read of the current state misses no
//! write that was answered before, and nothing else misses one that was answered longer ago than the
//! bound.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use local_stack::{Proxy, Server};
use nix::sys::signal::Signal;
use reqwest::{Method, Response};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::support::private_servers;
use crate::support::system::{Api, TestSystem, eventually};

/// How old a read may be.
const BOUND: Duration = Duration::from_secs(2);
const TTL: (&str, &str) = ("CACHE_TTL_SECONDS", "2");
const TASKS: usize = 3;
/// How long a fault lasts, and how long there is none after it.
const FAULT: Duration = Duration::from_millis(800);
const HEALTH: Duration = Duration::from_millis(300);

/// A task, and when which of its versions was answered to its writer.
struct Written {
    id: String,
    versions: Mutex<Vec<(Instant, i64)>>,
}

impl Written {
    fn add(&self, task: &Value) {
        let version = task["version"].as_i64().expect("a version");
        self.versions.lock().expect("versions").push((Instant::now(), version));
    }

    /// The last version that was answered by then.
    fn by(&self, then: Instant) -> i64 {
        let versions = self.versions.lock().expect("versions");
        versions.iter().rfind(|(at, _)| *at <= then).map_or(0, |(_, version)| *version)
    }

    /// Fails if a read that began then misses more than it may.
    fn check(&self, version: i64, begun: Instant, wish: &Wish, what: &str) {
        let then = begun.checked_sub(wish.bound).expect("a time");
        let least = self.by(then);
        assert!(
            version >= least,
            "{what} with {:?}: version {version} after {least}",
            wish.directive
        );
    }
}

/// How a reader reads, and what it may miss then.
#[derive(Clone, Copy)]
struct Wish {
    directive: &'static str,
    bound: Duration,
}

const WISHES: [Wish; 5] = [
    Wish { directive: "max-stale", bound: BOUND },
    Wish { directive: "max-age=1", bound: Duration::from_secs(1) },
    Wish { directive: "no-cache", bound: Duration::ZERO },
    Wish { directive: "max-age=0", bound: Duration::ZERO },
    Wish { directive: "no-store", bound: Duration::ZERO },
];

struct Fixture {
    system: TestSystem,
    writer: Api,
    reader: Api,
    tasks: Vec<Written>,
    is_over: AtomicBool,
    reads: AtomicUsize,
}

impl Fixture {
    async fn new(proxy: &Proxy) -> Self {
        let system = TestSystem::with_redis(proxy.url()).await;
        let writer = system.writer_with(&[TTL]).await;
        let environment = system.api_environment(&system.database.reader_url).with(TTL.0, TTL.1);
        let reader = system.api("task-reader", environment).await;
        let (is_over, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
        let mut fixture = Self { system, writer, reader, tasks: Vec::new(), is_over, reads };
        for _ in 0..TASKS {
            let created = fixture.write(Method::POST, "", "Milk").await;
            let id = created["id"].as_str().expect("an id").to_owned();
            let written = Written { id, versions: Mutex::default() };
            written.add(&created);
            fixture.tasks.push(written);
        }
        fixture
    }

    async fn write(&self, method: Method, path: &str, title: &str) -> Value {
        let url = format!("{}/v1/tasks{path}", self.writer.url);
        let request =
            self.system.client.request(method, url).bearer_auth(self.system.token("acme"));
        let response = request.json(&json!({"title": title})).send().await.expect("an answer");
        assert!(response.status().is_success(), "{response:?}");
        response.json().await.expect("JSON")
    }

    async fn get(&self, path: &str, directive: &str) -> Response {
        let url = format!("{}/v1/tasks{path}", self.reader.url);
        let request = self.system.client.get(url).bearer_auth(self.system.token("acme"));
        let response = request.header("cache-control", directive).send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{directive}");
        response
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    async fn write_on(&self, index: usize) {
        let task = &self.tasks[index];
        for number in 0.. {
            if !self.goes_on() {
                return;
            }
            let title = format!("Name {number}");
            task.add(&self.write(Method::PATCH, &format!("/{}", task.id), &title).await);
            sleep(Duration::from_millis(15)).await;
        }
    }

    /// Reads each task, and then all in one list.
    async fn read_on(&self, wish: Wish) {
        while self.goes_on() {
            for task in &self.tasks {
                let begun = Instant::now();
                let read: Value = self
                    .get(&format!("/{}", task.id), wish.directive)
                    .await
                    .json()
                    .await
                    .expect("JSON");
                task.check(read["version"].as_i64().expect("a version"), begun, &wish, "a task");
            }
            let begun = Instant::now();
            let page: Value = self.get("", wish.directive).await.json().await.expect("JSON");
            let listed = page["tasks"].as_array().expect("tasks");
            for task in &self.tasks {
                let found = listed.iter().find(|found| found["id"] == task.id.as_str());
                let version = found.expect("a task")["version"].as_i64().expect("a version");
                task.check(version, begun, &wish, "a list");
            }
            self.reads.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn command(redis: &Server, words: &[&str]) {
    let client = redis::Client::open(redis.url().expose_secret()).expect("a URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let command = redis::cmd(words[0]).arg(&words[1..]).exec_async(&mut connection).await;
    command.expect("done");
}

/// A command of Redis, again and again for as long as a fault lasts.
async fn again_and_again(redis: &Server, words: &[&str]) {
    let end = Instant::now() + FAULT;
    while Instant::now() < end {
        command(redis, words).await;
        sleep(Duration::from_millis(50)).await;
    }
    sleep(HEALTH).await;
}

/// One fault after the other.
async fn fail_in_every_way(redis: &mut Server, proxy: &mut Proxy, next: &Server) {
    redis.process().signal(Signal::SIGSTOP).expect("stopped");
    sleep(FAULT).await;
    redis.process().signal(Signal::SIGCONT).expect("continued");
    sleep(HEALTH).await;
    command(redis, &["CLIENT", "PAUSE", "800", "WRITE"]).await;
    sleep(FAULT + HEALTH).await;
    again_and_again(redis, &["FLUSHALL"]).await;
    again_and_again(redis, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
    proxy.cut();
    sleep(FAULT).await;
    proxy.mend().await.expect("mended");
    sleep(HEALTH).await;
    proxy.freeze();
    sleep(FAULT).await;
    redis.restart().await.expect("restarted");
    sleep(HEALTH).await;
    let (_, port) = next.url().expose_secret().rsplit_once(':').expect("a port");
    command(redis, &["REPLICAOF", "127.0.0.1", port]).await;
    sleep(FAULT).await;
    proxy.lead_to(next.url()).expect("led");
    sleep(HEALTH).await;
}

#[tokio::test]
async fn whatever_fails_no_read_is_older_than_it_may_be() {
    let (_folder, mut redis) = private_servers::redis().await;
    let (_other_folder, next) = private_servers::redis_like(&redis).await;
    let mut proxy = Proxy::start(redis.url()).await.expect("a proxy");
    let fixture = Arc::new(Fixture::new(&proxy).await);
    let mut clients = JoinSet::new();
    for index in 0..TASKS {
        let fixture = fixture.clone();
        clients.spawn(async move { fixture.write_on(index).await });
    }
    for wish in WISHES {
        let fixture = fixture.clone();
        clients.spawn(async move { fixture.read_on(wish).await });
    }
    fail_in_every_way(&mut redis, &mut proxy, &next).await;
    fixture.is_over.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.expect("a client that saw nothing wrong");
    }
    assert!(fixture.reads.load(Ordering::Relaxed) > WISHES.len(), "it was read");
    eventually("the new primary is used", async || {
        fixture.get("", "max-stale").await;
        let client = redis::Client::open(next.url().expose_secret()).expect("a URL");
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        let keys: Vec<String> =
            redis::cmd("KEYS").arg("page:*").query_async(&mut connection).await.ok()?;
        (!keys.is_empty()).then_some(())
    })
    .await;
}
