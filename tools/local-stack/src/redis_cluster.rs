//! A Redis cluster for tests: three primaries, and a replica of the first.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, cmd};
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::server::Server;
use crate::state::State;

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// They share a password, as the nodes of a cluster do.
const PASSWORD: &[u8] = b"of-tests";

/// A node of a [`RedisCluster`].
#[derive(Debug)]
pub struct RedisNode {
    /// Its server.
    pub server: Server,
    /// A connection to it alone.
    pub connection: MultiplexedConnection,
    port: String,
    _folder: TempDir,
}

impl RedisNode {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let state = State::open(folder.path())?;
        state.secret_bytes("redis", || Ok(PASSWORD.to_vec()))?;
        let server = Server::redis_cluster_node(&state).await?;
        let url = server.url().expose_secret();
        let port = url.rsplit_once(':').context("a URL without a port")?.1.to_owned();
        let connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
        Ok(Self { server, connection, port, _folder: folder })
    }

    async fn bus(&self) -> Result<String> {
        let get = cmd("CONFIG").arg(&["GET", "cluster-port"]).clone();
        let (_, bus): (String, String) = get.query_async(&mut self.connection.clone()).await?;
        Ok(bus)
    }

    /// Waits until it has what its primary has: only then it may take over.
    pub async fn is_replica_in_sync(&self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let command = cmd("INFO").arg("replication").clone();
            let info: String = command.query_async(&mut self.connection.clone()).await?;
            if info.contains("master_link_status:up") {
                return Ok(());
            }
            ensure!(Instant::now() < end, "no replica: {info}");
            sleep(POLL).await;
        }
    }

    /// Sends a command `CLUSTER`, and returns the answer.
    pub async fn cluster<T: FromRedisValue>(&self, words: &[&str]) -> Result<T> {
        Ok(cmd("CLUSTER").arg(words).query_async(&mut self.connection.clone()).await?)
    }
}

/// Three primaries, and a replica of the first.
#[derive(Debug)]
pub struct RedisCluster {
    /// The primaries, in the order of their slots.
    pub primaries: [RedisNode; Self::PRIMARIES as usize],
    /// The replica of the first one.
    pub replica: RedisNode,
}

impl RedisCluster {
    /// How many slots all primaries have together.
    pub const SLOTS: u16 = 16_384;
    /// How many primaries there are. Each has as many slots as the others, one more or less.
    pub const PRIMARIES: u16 = 3;

    /// Starts the nodes and returns when each of them knows all others and every slot is served.
    pub async fn start() -> Result<Self> {
        let primaries = [primary(0).await?, primary(1).await?, primary(2).await?];
        let replica = node(Self::PRIMARIES).await?;
        let cluster = Self { primaries, replica };
        let first = &cluster.primaries[0];
        for node in cluster.nodes().skip(1) {
            let meet: [&str; 4] = ["MEET", "127.0.0.1", &node.port, &node.bus().await?];
            let () = first.cluster(&meet).await?;
        }
        cluster.all_say(&["cluster_state:ok", "cluster_known_nodes:4"]).await?;
        let first: String = first.cluster(&["MYID"]).await?;
        let () = cluster.replica.cluster(&["REPLICATE", &first]).await?;
        Ok(cluster)
    }

    fn nodes(&self) -> impl Iterator<Item = &RedisNode> {
        self.primaries.iter().chain([&self.replica])
    }

    /// Waits until every node says so of the cluster.
    async fn all_say(&self, lines: &[&str]) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        for node in self.nodes() {
            loop {
                let info: String = node.cluster(&["INFO"]).await?;
                if lines.iter().all(|line| info.contains(line)) {
                    break;
                }
                ensure!(Instant::now() < end, "no cluster: {info}");
                sleep(POLL).await;
            }
        }
        Ok(())
    }

    /// The URLs of all nodes, separated by commas.
    #[must_use]
    pub fn url(&self) -> SecretString {
        let urls = self.nodes().map(|node| node.server.url().expose_secret());
        urls.collect::<Vec<_>>().join(",").into()
    }

    /// Moves the slot of the tenant's keys from its node to the next one, without the keys.
    pub async fn move_slot(&self, tenant: &str) -> Result<()> {
        let [first, second, third] = &self.primaries;
        let slot: u16 = first.cluster(&["KEYSLOT", tenant]).await?;
        let (from, to) = match u32::from(slot) * u32::from(Self::PRIMARIES) / u32::from(Self::SLOTS)
        {
            0 => (first, second),
            1 => (second, third),
            _ => (third, first),
        };
        let id: String = to.cluster(&["MYID"]).await?;
        cmd("FLUSHALL").exec_async(&mut from.connection.clone()).await?;
        for node in [to, from] {
            let () = node.cluster(&["SETSLOT", &slot.to_string(), "NODE", &id]).await?;
        }
        Ok(())
    }
}

async fn node(index: u16) -> Result<RedisNode> {
    let node = RedisNode::start().await?;
    let () = node.cluster(&["SET-CONFIG-EPOCH", &(index + 1).to_string()]).await?;
    Ok(node)
}

/// A node with its part of the slots.
async fn primary(index: u16) -> Result<RedisNode> {
    let node = node(index).await?;
    let slot = |index| RedisCluster::SLOTS * index / RedisCluster::PRIMARIES;
    let (first, last) = (slot(index).to_string(), (slot(index + 1) - 1).to_string());
    let () = node.cluster(&["ADDSLOTSRANGE", &first, &last]).await?;
    Ok(node)
}
