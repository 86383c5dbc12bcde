//! Redis as a cluster of several nodes, which is recognised by itself.

use std::time::Duration;

use domain::{TaskId, TenantId};
use local_stack::Redis;
use nix::sys::signal::Signal;
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, cmd};
use secrecy::ExposeSecret as _;
use store::{Class, Filter, Freshness, LocalConfig, Sort, Source};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::cached::state;
use crate::fixture::{Fixture, create, new_task, of_tenant, rename};
use crate::rates::limits_by;

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);
/// Tenants whose slots are on each of three nodes.
const TENANTS: [&str; 6] = ["acme", "other", "t1", "t2", "t3", "t4"];
const SLOTS: u16 = 16_384;
const PRIMARIES: u16 = 3;

struct Node {
    redis: Redis,
    connection: MultiplexedConnection,
    port: String,
    _folder: TempDir,
}

impl Node {
    async fn start() -> Self {
        let (state, folder) = state();
        let redis = Redis::start_cluster_node(&state).await.expect("a node");
        let url = redis.url().expose_secret();
        let (_, port) = url.rsplit_once(':').expect("a port");
        let port = port.to_owned();
        let client = redis::Client::open(url).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await.expect("a connection");
        Self { redis, connection, port, _folder: folder }
    }

    async fn bus(&self) -> String {
        let get = cmd("CONFIG").arg(&["GET", "cluster-port"]).clone();
        let (_, bus): (String, String) =
            get.query_async(&mut self.connection.clone()).await.expect("a port");
        bus
    }

    /// Waits until it has what its primary has: only then it may take over.
    async fn is_replica_in_sync(&self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let command = cmd("INFO").arg("replication").clone();
            let info = command.query_async::<String>(&mut self.connection.clone()).await;
            if info.expect("an answer").contains("master_link_status:up") {
                return;
            }
            assert!(Instant::now() < end, "no replica");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn say<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let said = cmd("CLUSTER").arg(words).query_async(&mut self.connection.clone()).await;
        said.expect("an answer")
    }
}

/// Three primaries, and a replica of the first.
struct Cluster(Vec<Node>);

impl Cluster {
    async fn start() -> Self {
        let mut nodes = Vec::new();
        for index in 0..=PRIMARIES {
            let node = Node::start().await;
            let _: () = node.say(&["SET-CONFIG-EPOCH", &(index + 1).to_string()]).await;
            if index < PRIMARIES {
                let (from, to) = (SLOTS * index / PRIMARIES, SLOTS * (index + 1) / PRIMARIES - 1);
                let _: () = node.say(&["ADDSLOTSRANGE", &from.to_string(), &to.to_string()]).await;
            }
            nodes.push(node);
        }
        for node in &nodes[1..] {
            let bus = node.bus().await;
            let _: () = nodes[0].say(&["MEET", "127.0.0.1", &node.port, &bus]).await;
        }
        let cluster = Self(nodes);
        let knows_all = "cluster_known_nodes:4";
        cluster.all_say(&["cluster_state:ok", knows_all]).await;
        let first: String = cluster.0[0].say(&["MYID"]).await;
        let _: () = cluster.0[3].say(&["REPLICATE", &first]).await;
        cluster
    }

    /// Waits until every node says so of the cluster.
    async fn all_say(&self, lines: &[&str]) {
        let end = Instant::now() + PATIENCE;
        for node in &self.0 {
            loop {
                let info: String = node.say(&["INFO"]).await;
                if lines.iter().all(|line| info.contains(line)) {
                    break;
                }
                assert!(Instant::now() < end, "{info}");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    fn url(&self) -> String {
        let urls = self.0.iter().map(|node| node.redis.url().expose_secret());
        urls.collect::<Vec<_>>().join(",")
    }

    /// Moves the slot of the tenant's keys from its node to the next one, without the keys.
    async fn move_slot(&self, tenant: &str) {
        let slot: u16 = self.0[0].say(&["KEYSLOT", tenant]).await;
        let owner = usize::from(slot) * usize::from(PRIMARIES) / usize::from(SLOTS);
        let to = &self.0[(owner + 1) % usize::from(PRIMARIES)];
        let id: String = to.say(&["MYID"]).await;
        let flush = cmd("FLUSHALL").exec_async(&mut self.0[owner].connection.clone()).await;
        flush.expect("empty");
        for node in [to, &self.0[owner]] {
            let _: () = node.say(&["SETSLOT", &slot.to_string(), "NODE", &id]).await;
        }
    }
}

/// A task of each tenant, in a store on the cluster.
struct Stage {
    fixture: Fixture,
    url: String,
    tasks: Vec<(TenantId, TaskId)>,
    written: u32,
}

impl Stage {
    async fn new(cluster: &Cluster) -> Self {
        let url = cluster.url();
        let tasks = TENANTS.map(|name| (name.parse().expect("a tenant"), new_task()));
        let fixture = Fixture::with_redis(&url).await;
        let mut stage = Self { fixture, url, tasks: tasks.to_vec(), written: 0 };
        stage.write().await;
        stage.works_for(&TENANTS).await;
        stage
    }

    /// Changes all tasks in one batch.
    async fn write(&mut self) {
        let action = match self.written {
            0 => create("Milk"),
            number => rename(&format!("Name {number}"), None),
        };
        self.written += 1;
        let id = self.written.to_string();
        let batch = self.tasks.iter();
        let batch =
            batch.map(|(tenant, task)| of_tenant(tenant.as_str(), &id, *task, action.clone()));
        self.fixture.apply(batch.collect()).await;
    }

    /// Waits until changes are written through, read from Redis, and end pages there.
    async fn works_for(&mut self, tenants: &[&str]) {
        let end = Instant::now() + PATIENCE;
        loop {
            self.write().await;
            let mut works = true;
            for (tenant, task) in
                self.tasks.iter().filter(|(tenant, _)| tenants.contains(&tenant.as_str()))
            {
                works &= self.is_cached(tenant, *task).await;
            }
            if works {
                return;
            }
            assert!(Instant::now() < end, "Redis was never used again");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn is_cached(&self, tenant: &TenantId, task: TaskId) -> bool {
        let reader = &self.fixture.reader;
        let read = reader.read(tenant, task, Freshness::Recent).await.expect("an answer");
        let is_last = read.0.is_some_and(|task| task.version == i64::from(self.written));
        let page = async || {
            let (filter, start) = (Filter::default(), Sort::default().into());
            let page = reader.page(tenant, &filter, start, 10, Freshness::Recent).await;
            page.expect("a page").1
        };
        is_last
            && read.1 == Source::Hit
            && (page().await, page().await) == (Source::Miss, Source::Hit)
    }
}

#[tokio::test]
async fn a_cluster_caches_lists_and_limits_for_the_tenants_of_all_nodes() {
    let cluster = Cluster::start().await;
    let stage = Stage::new(&cluster).await;
    let limits =
        limits_by(&stage.url, &["--rate-limit-bulk-per-minute=1", "--rate-limit-bulk-burst=2"]);
    for (tenant, _) in &stage.tasks {
        for expected in [true, true, false] {
            let standing = limits.count(tenant, Class::Bulk).await.expect("it is limited");
            assert_eq!(standing.allowed, expected);
        }
    }
    for node in &cluster.0[..3] {
        let keys: usize =
            cmd("DBSIZE").query_async(&mut node.connection.clone()).await.expect("a size");
        assert!(keys > 0, "each node has tenants");
    }
    // What is kept in a process would need the word of every node.
    let (reader, follower) = stage.fixture.reader.keeping(&LocalConfig { local_cache_entries: 10 });
    let follower = tokio::spawn(follower.expect("a follower").run(CancellationToken::new()));
    let (tenant, task) = &stage.tasks[0];
    for _ in 0..10 {
        let read = reader.read(tenant, *task, Freshness::Recent).await.expect("an answer");
        assert_ne!(read.1, Source::Local);
        sleep(Duration::from_millis(50)).await;
    }
    assert!(!follower.is_finished(), "a part of a service that ends ends the service");
}

#[tokio::test]
async fn a_slot_that_moves_is_followed() {
    let cluster = Cluster::start().await;
    let mut stage = Stage::new(&cluster).await;
    cluster.move_slot("acme").await;
    stage.works_for(&TENANTS).await;
}

#[tokio::test]
async fn a_node_that_freezes_is_felt_by_its_tenants_until_its_replica_takes_over_and_by_no_others()
{
    let mut cluster = Cluster::start().await;
    let mut stage = Stage::new(&cluster).await;
    let mut others = Vec::new();
    for tenant in TENANTS {
        let slot: u16 = cluster.0[1].say(&["KEYSLOT", tenant]).await;
        others.extend((slot >= SLOTS / PRIMARIES).then_some(tenant));
    }
    assert!(others.len() < TENANTS.len(), "the first node has tenants");
    cluster.0[3].is_replica_in_sync().await;
    cluster.0[0].redis.process().signal(Signal::SIGSTOP).expect("stopped");
    stage.works_for(&others).await;
    stage.works_for(&TENANTS).await;
}
