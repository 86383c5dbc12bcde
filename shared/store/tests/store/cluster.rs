//! A Redis cluster: three primaries, and a replica of the first. The black-box tests include this file.

use std::time::Duration;

use local_stack::{Server, State};
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, cmd};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const SLOTS: u16 = 16_384;
pub(crate) const PRIMARIES: u16 = 3;

pub(crate) struct Node {
    pub(crate) redis: Server,
    pub(crate) connection: MultiplexedConnection,
    port: String,
    _folder: TempDir,
}

impl Node {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let state = State::open(folder.path()).expect("a state folder");
        state.secret_bytes("redis", || Ok(b"of-tests".to_vec())).expect("a password");
        let redis = Server::redis_cluster_node(&state).await.expect("a node");
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
    pub(crate) async fn is_replica_in_sync(&self) {
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

    pub(crate) async fn say<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let said = cmd("CLUSTER").arg(words).query_async(&mut self.connection.clone()).await;
        said.expect("an answer")
    }
}

/// Three primaries, and a replica of the first.
pub(crate) struct Cluster(pub(crate) Vec<Node>);

impl Cluster {
    pub(crate) async fn start() -> Self {
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

    pub(crate) fn url(&self) -> String {
        let urls = self.0.iter().map(|node| node.redis.url().expose_secret());
        urls.collect::<Vec<_>>().join(",")
    }

    /// Moves the slot of the tenant's keys from its node to the next one, without the keys.
    pub(crate) async fn move_slot(&self, tenant: &str) {
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
