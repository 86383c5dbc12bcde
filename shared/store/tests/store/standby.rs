//! A fail-over between two real servers, after which the former primary goes on answering.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use domain::{TaskId, TenantId};
use local_stack::{Durability, Server, State};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use store::{Freshness, ReadError, Store, migrate};
use tokio::time::{Instant, sleep};

use crate::fixture::{connect_with, create, incoming, new_task, now, rename};
use crate::migrations::owner;
use crate::proxy::Proxy;

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_mins(1);
/// For how long a former primary may be read from.
const BOUND: Duration = Duration::from_secs(10);

/// A server, and where its data is.
struct Node {
    postgres: Server,
    folder: tempfile::TempDir,
}

impl Node {
    async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder")).await
    }

    async fn start_in(folder: tempfile::TempDir) -> Self {
        let state = State::open(folder.path().join("state")).expect("a state");
        let postgres = Server::postgres(&state, Durability::Throwaway).await.expect("a server");
        Self { postgres, folder }
    }

    /// Another server that has what this one has at the moment, as a standby has that was promoted.
    async fn promote_another(&mut self) -> Self {
        self.postgres.stop().await.expect("stopped");
        let folder = tempfile::tempdir().expect("a folder");
        let copied = Command::new("cp")
            .args([
                "-a".as_ref(),
                self.folder.path().join("state").as_os_str(),
                folder.path().as_os_str(),
            ])
            .status();
        assert!(copied.expect("a copy").success());
        self.postgres.restart().await.expect("restarted");
        Self::start_in(folder).await
    }

    /// Restarts the server as a standby, which gets no changes.
    async fn demote(&mut self) {
        self.postgres.stop().await.expect("stopped");
        let data = self.folder.path().join("state/postgres/data");
        let signal = data.join("standby.signal");
        File::create(&signal).expect("a file");
        chown_like(&data, &signal);
        self.postgres.restart().await.expect("restarted");
    }

    fn url(&self, user: &str) -> SecretString {
        let url = self.postgres.url().expose_secret();
        let (_, rest) = url.split_once('@').expect("a login");
        format!("postgres://{user}:secret@{rest}").into()
    }
}

/// Gives a file to whoever the folder belongs to: PostgreSQL has a user of its own.
pub(crate) fn chown_like(folder: &Path, file: &Path) {
    let owner = fs::metadata(folder).expect("a folder");
    chown(file, Some(owner.uid()), Some(owner.gid())).expect("an owner");
}

/// A task on a primary, read by a store whose way to PostgreSQL can be led elsewhere.
struct ProxiedReader {
    primary: Node,
    proxy: Proxy,
    reader: Store,
    tenant: TenantId,
    task: TaskId,
}

impl ProxiedReader {
    async fn new() -> Self {
        let primary = Node::start().await;
        let superuser = primary.postgres.url();
        migrate(&owner(superuser)).await.expect("migrated");
        let logins = "CREATE ROLE writer LOGIN PASSWORD 'secret'; GRANT task_app_writer TO writer;
            CREATE ROLE reader LOGIN PASSWORD 'secret'; GRANT task_app_reader TO reader";
        let mut connection =
            PgConnection::connect(superuser.expose_secret()).await.expect("a connection");
        sqlx::raw_sql(AssertSqlSafe(logins)).execute(&mut connection).await.expect("logins");
        connection.close().await.expect("closed");
        let proxy = Proxy::to(&primary.url("reader")).await;
        let reader = connect_with(&proxy.url, &["--database-acquire-timeout-ms=1000"]);
        let tenant = "acme".parse().expect("a tenant");
        let proxied = Self { primary, proxy, reader, tenant, task: new_task() };
        proxied.write(&proxied.primary, "1", create("Milk")).await;
        proxied
    }

    async fn write(&self, server: &Node, id: &str, action: domain::Action) {
        let writer = connect_with(&server.url("writer"), &[]);
        writer.apply(vec![incoming(id, self.task, action)], now()).await.expect("applied");
    }

    async fn read(&self) -> Result<Option<i64>, ReadError> {
        let read = self.reader.read(&self.tenant, self.task, Freshness::Current).await;
        read.map(|(task, _)| task.map(|task| task.version))
    }

    /// Waits until the version is read, and asserts that nothing older is for longer than may be.
    async fn reads(&self, version: i64) {
        let begun = Instant::now();
        loop {
            let begun_at = Instant::now();
            match self.read().await {
                Ok(read) if read == Some(version) => return,
                Ok(older) => assert!(begun_at - begun < BOUND, "{older:?} and not {version}"),
                Err(_) => {}
            }
            assert!(begun.elapsed() < PATIENCE, "never read");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test]
async fn a_former_primary_is_soon_not_read_from_and_a_standby_never() {
    let mut proxied = ProxiedReader::new().await;
    let other = proxied.primary.promote_another().await;
    proxied.reads(1).await;

    // Cut off from the others, and not from us: its connections stay open.
    proxied.write(&other, "2", rename("Bread", None)).await;
    proxied.proxy.lead_to(other.postgres.url());
    proxied.reads(2).await;

    // It comes back as a standby that lags behind, where the name leads as well.
    proxied.primary.demote().await;
    proxied.proxy.lead_to(proxied.primary.postgres.url());
    let mut other = other;
    other.postgres.kill().await.expect("killed");
    for _ in 0..3 {
        proxied.read().await.expect_err("a standby");
    }
    let error = anyhow::Error::from(proxied.read().await.expect_err("a standby"));
    assert!(format!("{error:#}").contains("must lead to the primary"), "{error:#}");

    other.postgres.restart().await.expect("restarted");
    proxied.proxy.lead_to(other.postgres.url());
    proxied.reads(2).await;
}
