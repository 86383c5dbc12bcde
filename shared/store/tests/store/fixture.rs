//! A store on a fresh database, commands to give it, and a look at what it wrote.

use std::str::FromStr as _;

use chrono::{DateTime, Utc};
use clap::Parser;
use domain::{
    Action, Command, CreateTask, Expected, Tags, Task, TaskId, TaskPatch, TenantId, Timestamp,
    UpdateTask,
};
use futures::FutureExt as _;
use local_stack::TestDatabase;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{PgPool, Postgres, Transaction};
use store::{CommandKey, Config, Filter, Freshness, Incoming, Receipt, Sort, Store, TaskBody};
use uuid::Uuid;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    store: Config,
}

/// A store that writes, one that reads, and the owner's view of the tables.
pub(crate) struct Fixture {
    pub(crate) writer: Store,
    pub(crate) reader: Store,
    pub(crate) relay: Store,
    pub(crate) attachments: Store,
    pub(crate) operator: Store,
    pub(crate) owner: PgPool,
    pub(crate) database: TestDatabase,
}

impl Fixture {
    /// Without a cache.
    pub(crate) async fn new() -> Self {
        Self::with_redis("").await
    }

    pub(crate) async fn with_redis(redis_url: &str) -> Self {
        Self::with_settings(redis_url, &[]).await
    }

    pub(crate) async fn with_settings(redis_url: &str, settings: &[&str]) -> Self {
        let writes =
            |url: &SecretString| at_once(Store::for_writes(&config(url, redis_url, settings)));
        let database = TestDatabase::create().await.expect("a test database");
        Self {
            writer: writes(&database.writer_url),
            reader: at_once(Store::for_lists(&config(&database.reader_url, redis_url, settings))),
            relay: writes(&database.relay_url),
            attachments: writes(&database.attachments_url),
            operator: at_once(Store::connect(&config(&database.operator_url, redis_url, settings))),
            owner: PgPool::connect_lazy(database.owner_url.expose_secret()).expect("a URL"),
            database,
        }
    }

    /// Another store of the relay, with connections of its own.
    pub(crate) fn connect_relay(&self) -> Store {
        at_once(Store::for_writes(&config(&self.database.relay_url, "", &[])))
    }

    pub(crate) async fn apply(&self, batch: Vec<Incoming>) -> Vec<Receipt> {
        self.writer.apply(batch, now()).await.expect("an applied batch")
    }

    /// What PostgreSQL has of a task.
    pub(crate) async fn current(&self, tenant: &TenantId, task: TaskId) -> Option<TaskBody> {
        self.reader.read(tenant, task, Freshness::Current).await.expect("an answer").0
    }

    /// The first page of all tasks of `tenant`.
    pub(crate) async fn newest(&self, tenant: &str) -> Vec<Task> {
        let tenant = tenant.parse().expect("a tenant");
        let (filter, start) = (Filter::default(), Sort::default().into());
        self.reader.tasks(&tenant, &filter, start, 10).await.expect("a page").tasks
    }

    /// Lets nobody read or write tasks until it is rolled back.
    pub(crate) async fn lock_tasks(&self) -> Transaction<'static, Postgres> {
        let mut lock = self.owner.begin().await.expect("a transaction");
        let statement = "LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE";
        sqlx::raw_sql(statement).execute(&mut *lock).await.expect("a lock");
        lock
    }

    /// Waits until so many statements wait for [`Self::lock_tasks`].
    pub(crate) async fn are_waiting(&self, count: usize) {
        let waiting = "SELECT count(*)::text FROM pg_locks
            WHERE NOT granted AND relation = 'tasks'::regclass
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        self.becomes(waiting, count).await;
    }

    /// Waits until a statement waits for another transaction.
    pub(crate) async fn is_waiting_for_a_row(&self) {
        let waiting = "SELECT count(*)::text FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event = 'transactionid'";
        self.becomes(waiting, 1).await;
    }

    async fn becomes(&self, waiting: &'static str, count: usize) {
        for left in (0..600).rev() {
            let waiting: usize = self.look(waiting).await.parse().expect("a number");
            if waiting == count {
                return;
            }
            assert!(left > 0, "{waiting} statements wait, not {count}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Makes sessions that begin from now on read-only, or no longer so.
    pub(crate) async fn set_read_only(&self, read_only: bool) {
        let database = self.look("SELECT current_database()::text").await;
        let statement =
            format!("ALTER DATABASE {database} SET default_transaction_read_only = {read_only}");
        let mut owner = self.owner.acquire().await.expect("a connection");
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement));
        statement.execute(&mut *owner).await.expect("a setting");
    }

    /// How often a table was read as a whole, how often by an index, and how many rows that gave: the most of
    /// these tables. Sessions report now and then what they did.
    pub(crate) async fn scans(&self, tables: &[&str]) -> (i64, i64, i64) {
        let scans = "SELECT max(seq_scan), max(idx_scan), max(idx_tup_fetch)
            FROM pg_stat_user_tables WHERE relname = ANY ($1)";
        let scans = sqlx::query_as(scans).bind(tables);
        scans.fetch_one(&self.owner).await.expect("counts")
    }

    /// The first column of the first row, as text.
    pub(crate) async fn look(&self, sql: &'static str) -> String {
        let text: Option<String> =
            sqlx::query_scalar(sql).fetch_one(&self.owner).await.expect("a value");
        text.unwrap_or_default()
    }
}

/// What there is without waiting: with all URLs given, none is fetched.
pub(crate) fn at_once<T>(made: impl Future<Output = anyhow::Result<T>>) -> T {
    made.now_or_never().expect("nothing to wait for").expect("a store")
}

/// A store with one connection, without a cache.
pub(crate) fn connect_once(url: &str) -> Store {
    connect_with(&url.into(), &["--database-max-connections=1"])
}

/// A store with these settings, without a cache.
pub(crate) fn connect_with(url: &SecretString, settings: &[&str]) -> Store {
    let arguments = ["test", "--redis-url=", "--database-url", url.expose_secret()];
    let arguments = arguments.iter().chain(settings);
    at_once(Store::connect(&Arguments::parse_from(arguments).store))
}

fn config(url: &SecretString, redis_url: &str, settings: &[&str]) -> Config {
    let urls = ["test", "--database-url", url.expose_secret(), "--redis-url", redis_url];
    Arguments::parse_from(urls.iter().chain(settings)).store
}

pub(crate) fn now() -> Timestamp {
    DateTime::<Utc>::from_str("2026-01-31T09:30:00.123456789Z").expect("a time")
}

pub(crate) fn new_task() -> TaskId {
    TaskId::try_from(Uuid::now_v7()).expect("a version 7")
}

/// A command of the tenant `acme` under the key `id`.
pub(crate) fn incoming(id: &str, task: TaskId, action: Action) -> Incoming {
    of_tenant("acme", id, task, action)
}

pub(crate) fn of_tenant(tenant: &str, id: &str, task: TaskId, action: Action) -> Incoming {
    Incoming {
        key: CommandKey { source: "/test".to_owned(), id: id.to_owned() },
        command: Command { tenant: tenant.parse().expect("a tenant"), task, action },
        caller: None,
        traceparent: None,
        request: None,
    }
}

/// The same as a request of a caller.
pub(crate) fn called_by(caller: &str, incoming: Incoming) -> Incoming {
    Incoming { caller: Some(caller.parse().expect("a caller")), ..incoming }
}

pub(crate) fn create(title: &str) -> Action {
    let tags = ["b", "a"].map(|tag| tag.parse().expect("a tag")).to_vec();
    Action::Create(CreateTask {
        title: title.parse().expect("a title"),
        description: Some("About it".parse().expect("a description")),
        priority: domain::Priority::High,
        assignee: None,
        due_date: Some("2026-03-31".parse().expect("a date")),
        tags: Tags::try_from(tags).expect("two tags"),
    })
}

pub(crate) fn rename(title: &str, expected_version: Option<i64>) -> Action {
    let title = Some(title.parse().expect("a title"));
    let patch = TaskPatch { title, ..TaskPatch::default() };
    Action::Update(UpdateTask { expected_version, patch })
}

pub(crate) fn complete() -> Action {
    Action::Complete(Expected::default())
}

pub(crate) fn delete() -> Action {
    Action::Delete(Expected::default())
}
