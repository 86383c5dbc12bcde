//! Redis as a cluster of several nodes, which is recognised by itself.

use std::time::Duration;

use domain::{TaskId, TenantId};
use local_stack::RedisCluster;
use nix::sys::signal::Signal;
use rate_limits::Class;
use redis::cmd;
use secrecy::ExposeSecret as _;
use store::{Filter, Freshness, LocalConfig, Sort, Source};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::cached::limits_by;
use crate::fixture::{Fixture, create, new_task, of_tenant, rename};

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);
/// Tenants whose slots are on each of three nodes.
const TENANTS: [&str; 6] = ["acme", "other", "t1", "t2", "t3", "t4"];

/// A task of each tenant, in a store on the cluster.
struct TenantTasks {
    fixture: Fixture,
    url: String,
    tasks: Vec<(TenantId, TaskId)>,
    written: u32,
}

impl TenantTasks {
    async fn new(cluster: &RedisCluster) -> Self {
        let url = cluster.url().expose_secret().to_owned();
        let tasks = TENANTS.map(|name| (name.parse().expect("a tenant"), new_task()));
        let fixture = Fixture::with_redis(&url).await;
        let mut tenants = Self { fixture, url, tasks: tasks.to_vec(), written: 0 };
        tenants.write().await;
        tenants.works_for(&TENANTS).await;
        tenants
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
            && read.1 == Source::Redis
            && (page().await, page().await) == (Source::Database, Source::Redis)
    }
}

#[tokio::test]
async fn a_cluster_caches_lists_and_limits_for_the_tenants_of_all_nodes() {
    let cluster = RedisCluster::start().await.expect("a cluster");
    let tenants = TenantTasks::new(&cluster).await;
    let settings = [
        "--rate-limit-bulk-per-minute=1",
        "--rate-limit-bulk-burst=4",
        "--rate-limit-caller-percent=50",
    ];
    let (limits, caller) = (limits_by(&tenants.url, &settings), "ann".parse().expect("a caller"));
    for (tenant, _) in &tenants.tasks {
        for expected in [true, true, false] {
            let statuses = limits.of(Class::Bulk).count(tenant, &caller).await;
            let allowed: Vec<_> = statuses.iter().map(|status| status.allowed).collect();
            assert_eq!(allowed, [true, expected], "the tenant's and the caller's");
        }
    }
    for node in &cluster.primaries {
        let keys: usize =
            cmd("DBSIZE").query_async(&mut node.connection.clone()).await.expect("a size");
        assert!(keys > 0, "each node has tenants");
    }
    // What is kept in a process would need the invalidations of every node.
    let (reader, listener) =
        tenants.fixture.reader.with_local_cache(&LocalConfig { local_cache_entries: 10 });
    let listener = tokio::spawn(listener.expect("a listener").run(CancellationToken::new()));
    let (tenant, task) = &tenants.tasks[0];
    for _ in 0..10 {
        let read = reader.read(tenant, *task, Freshness::Recent).await.expect("an answer");
        assert_ne!(read.1, Source::Local);
        sleep(Duration::from_millis(50)).await;
    }
    assert!(!listener.is_finished(), "a part of a service that ends ends the service");
}

#[tokio::test]
async fn a_slot_that_moves_is_followed() {
    let cluster = RedisCluster::start().await.expect("a cluster");
    let mut tenants = TenantTasks::new(&cluster).await;
    cluster.move_slot("acme").await.expect("moved");
    tenants.works_for(&TENANTS).await;
}

#[tokio::test]
async fn a_node_that_freezes_is_felt_by_its_tenants_until_its_replica_takes_over_and_by_no_others()
{
    let mut cluster = RedisCluster::start().await.expect("a cluster");
    let mut tenants = TenantTasks::new(&cluster).await;
    let mut others = Vec::new();
    for tenant in TENANTS {
        let slot = cluster.primaries[1].cluster(&["KEYSLOT", tenant]).await;
        let slot: u16 = slot.expect("a slot");
        others.extend((slot >= RedisCluster::SLOTS / RedisCluster::PRIMARIES).then_some(tenant));
    }
    assert!(others.len() < TENANTS.len(), "the first node has tenants");
    cluster.replica.is_replica_in_sync().await.expect("a replica");
    cluster.primaries[0].server.process().signal(Signal::SIGSTOP).expect("stopped");
    tenants.works_for(&others).await;
    tenants.works_for(&TENANTS).await;
}
