//! PgBouncer between us and PostgreSQL, in both of its modes that work.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use local_stack::{Process, Program, TestDatabase, ports};
use secrecy::{ExposeSecret as _, SecretString};
use store::{Config, Filter, Freshness, Outbox, Sort, Store};
use tokio::net::TcpStream;

use crate::attachments::{file, key};
use crate::fixture::{Fixture, at_once, connect_with, create, incoming, new_task, now, rename};
use crate::outbox::LONG;

/// Debian's place, which need not be in `PATH`.
const PGBOUNCER: &str = "/usr/sbin/pgbouncer";

/// A pooler with two connections for each user.
struct Pooler {
    _process: Process,
    _folder: tempfile::TempDir,
    address: String,
}

impl Pooler {
    async fn start(database: &TestDatabase, mode: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = ports::free(None).expect("a port");
        configure(folder.path(), database, mode, port);
        let executable = if Path::new(PGBOUNCER).exists() { PGBOUNCER } else { "pgbouncer" };
        let mut program = Program::new("pgbouncer", executable, folder.path());
        program.log = Some(folder.path().join("log"));
        program.arguments = vec!["pgbouncer.ini".into()];
        let mut process = Process::start(program).expect("PgBouncer: .ci/tools installs it");
        let address = format!("127.0.0.1:{port}");
        let answers = || async { TcpStream::connect(&address).await.is_ok() };
        process.ready_when(Duration::from_secs(30), answers).await.expect("it listens");
        Self { _process: process, _folder: folder, address }
    }

    /// The URL, by way of the pooler.
    fn url(&self, url: &SecretString) -> SecretString {
        let (login, rest) = url.expose_secret().split_once('@').expect("a login");
        let (_, database) = rest.split_once('/').expect("a database");
        format!("{login}@{}/{database}", self.address).into()
    }
}

fn configure(folder: &Path, database: &TestDatabase, mode: &str, port: u16) {
    let urls = [&database.writer_url, &database.reader_url, &database.relay_url];
    let users: String = urls.map(user).concat();
    let (_, rest) = database.owner_url.expose_secret().split_once('@').expect("a login");
    let (address, _) = rest.split_once('/').expect("a database");
    let (host, server_port) = address.split_once(':').expect("a port");
    let settings = format!(
        "[databases]\n* = host={host} port={server_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = users.txt\n\
         pool_mode = {mode}\ndefault_pool_size = 2\n{}",
        if nix::unistd::geteuid().is_root() { "user = nobody\n" } else { "" },
    );
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("permissions");
    fs::write(folder.join("pgbouncer.ini"), settings).expect("settings");
    fs::write(folder.join("users.txt"), users).expect("users");
}

/// A line of PgBouncer's file of users.
fn user(url: &SecretString) -> String {
    let url = url.expose_secret().strip_prefix("postgres://").expect("a URL");
    let (login, _) = url.split_once('@').expect("a login");
    let (user, password) = login.split_once(':').expect("a password");
    format!("\"{user}\" \"{password}\"\n")
}

/// Everything that the functions do, by more clients than the pooler has connections.
async fn work(fixture: &Fixture, pooler: &Pooler, settings: &[&str]) {
    let writers: Vec<_> =
        (0..2).map(|_| connect_with(&pooler.url(&fixture.database.writer_url), settings)).collect();
    let reader = {
        let url = pooler.url(&fixture.database.reader_url);
        let arguments = ["test", "--redis-url=", "--database-url", url.expose_secret()];
        let arguments = arguments.iter().chain(settings);
        at_once(Store::for_lists(&<Arguments as clap::Parser>::parse_from(arguments).store))
    };
    join_all((0..12).map(async |n| {
        let (writer, reader, task) = (&writers[n % writers.len()], &reader, new_task());
        let tenant = "acme".parse().expect("a tenant");
        let batch = vec![incoming(&format!("{n}-1"), task, create("Buy milk"))];
        writer.apply(batch.clone(), now()).await.expect("applied");
        assert!(writer.apply(batch, now()).await.expect("applied")[0].repeated);
        let batch = vec![incoming(&format!("{n}-2"), task, rename("Buy bread", Some(1)))];
        writer.apply(batch, now()).await.expect("applied");
        let (read, _) = reader.read(&tenant, task, Freshness::Current).await.expect("an answer");
        assert_eq!(read.expect("a task").version, 2);
        writer.attach(key("acme", task), None, file("a.txt"), now()).await.expect("attached");
        assert_eq!(reader.attachments(&tenant, task).await.expect("an answer").readable.len(), 1);
        let (filter, start) = (Filter::default(), Sort::default().into());
        assert!(!reader.tasks(&tenant, &filter, start, 5).await.expect("a page").tasks.is_empty());
        writer.check_writable().await.expect("it takes writes");
    }))
    .await;
    let outbox =
        Outbox::new(connect_with(&pooler.url(&fixture.database.relay_url), settings), LONG);
    let lease = outbox.lease().await.expect("a lease");
    assert_eq!(crate::outbox::pending(&outbox, &lease).await.len(), 24);
    outbox.set_sleeping(true).await.expect("asleep");
}

#[derive(clap::Parser)]
struct Arguments {
    #[command(flatten)]
    store: Config,
}

#[tokio::test]
async fn pooled_sessions_need_no_setting() {
    let fixture = Fixture::new().await;
    let pooler = Pooler::start(&fixture.database, "session").await;
    work(&fixture, &pooler, &["--database-max-connections=1"]).await;
    let sleeping = "SELECT bool_or(sleeping)::text FROM outbox_relays";
    assert_eq!(fixture.look(sleeping).await, "true");
}

#[tokio::test]
async fn pooled_transactions_need_their_setting() {
    let fixture = Fixture::new().await;
    let pooler = Pooler::start(&fixture.database, "transaction").await;
    work(&fixture, &pooler, &["--database-transaction-pooling=true"]).await;
    // A relay that cannot listen wants no notifications.
    let sleeping = "SELECT bool_or(sleeping)::text FROM outbox_relays";
    assert_eq!(fixture.look(sleeping).await, "false");
}
