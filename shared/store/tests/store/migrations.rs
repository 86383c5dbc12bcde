//! How migrations are run: by whom, beside whom, and what becomes of those that fail.

use std::time::Duration;

use clap::Parser;
use futures::future::join;
use local_stack::{Durability, Server, State};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqlSafeStr as _};
use store::{Owner, migrate, migrate_with};
use tokio::time::timeout;

use crate::fixture::{Fixture, connect_with, create, incoming, new_task, now};
use crate::proxy::Proxy;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    owner: Owner,
}

pub(crate) fn owner(url: &SecretString) -> Owner {
    let arguments = [
        "test",
        "--migration-lock-timeout-ms=50",
        "--migration-wait-seconds=60",
        "--migration-silence-seconds=2",
        "--database-url",
        url.expose_secret(),
    ];
    Arguments::parse_from(arguments).owner
}

/// A migration after all others.
fn one(sql: &'static str) -> Migrator {
    let simple = MigrationType::Simple;
    let no_tx = sql.contains("CONCURRENTLY");
    let one = Migration::new(9_001, "one more".into(), simple, sql.into_sql_str(), no_tx);
    let mut migrator = Migrator::with_migrations(vec![one]);
    migrator.set_ignore_missing(true);
    migrator
}

#[tokio::test]
async fn a_migration_that_waits_for_a_lock_lets_others_go_on_and_is_tried_again() {
    let fixture = Fixture::new().await;
    let owner = owner(&fixture.database.owner_url);
    let change = one("ALTER TABLE tasks ADD COLUMN more text");
    let lock = fixture.lock_tasks().await;
    let error = migrate_with(&owner, &change).await.expect_err("somebody holds a lock");
    assert!(format!("{error:#}").contains("pg_stat_activity"), "{error:#}");

    let unlock = async {
        fixture.are_waiting(1).await;
        lock.rollback().await.expect("unlocked");
    };
    let (changed, ()) = join(migrate_with(&owner, &change), unlock).await;
    changed.expect("changed");
    fixture.look("SELECT max(more) FROM tasks").await;
}

#[tokio::test]
async fn an_index_whose_build_failed_is_built_anew() {
    let fixture = Fixture::new().await;
    let owner = owner(&fixture.database.owner_url);
    fixture.create_tasks(2).await;
    let build =
        one("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS tasks_by_title\nON tasks (title);");
    let is_valid = async || {
        let valid = "SELECT indisvalid::text FROM pg_index
            WHERE indexrelid = to_regclass('tasks_by_title')";
        fixture.look(valid).await
    };
    migrate_with(&owner, &build).await.expect_err("two have the same title");
    assert_eq!(is_valid().await, "false");
    migrate_with(&owner, &build).await.expect_err("they still have");

    fixture.execute("UPDATE tasks SET title = id::text").await;
    migrate_with(&owner, &build).await.expect("built");
    assert_eq!(is_valid().await, "true");
    migrate_with(&owner, &build).await.expect("nothing to do");
}

#[tokio::test]
async fn several_that_build_an_index_wait_for_each_other() {
    let fixture = Fixture::new().await;
    let owner = owner(&fixture.database.owner_url);
    let build = one("CREATE INDEX CONCURRENTLY IF NOT EXISTS tasks_by_title\nON tasks (title);");
    let (first, second) = join(migrate_with(&owner, &build), migrate_with(&owner, &build)).await;
    first.expect("built");
    second.expect("built");
}

/// Longer than `migrate` waits for anything here: what takes longer hangs.
const HANGS: Duration = Duration::from_secs(45);

#[tokio::test]
async fn a_server_that_freezes_in_the_middle_ends_a_migration_and_the_next_one_goes_on() {
    let fixture = Fixture::new().await;
    let proxy = Proxy::to(&fixture.database.owner_url).await;
    let change = one("ALTER TABLE tasks ADD COLUMN more text; SELECT pg_sleep(60)");
    let frozen = owner(&proxy.url);
    let freeze = async {
        proxy.freeze_after("pg_sleep");
        proxy.is_frozen().await;
    };
    let migrated = timeout(HANGS, join(migrate_with(&frozen, &change), freeze)).await;
    let error = migrated.expect("it hangs").0.expect_err("the server is gone");
    let error = format!("{error:#}");
    assert!(error.contains("PostgreSQL was lost") && error.contains("Run this again"), "{error}");

    let change = one("ALTER TABLE tasks ADD COLUMN more text");
    let ended = "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'migrate'";
    fixture.look(ended).await;
    migrate_with(&owner(&fixture.database.owner_url), &change).await.expect("migrated");
    fixture.look("SELECT max(more) FROM tasks").await;
}

#[tokio::test]
async fn who_waits_for_another_that_migrates_says_for_whom_and_not_for_ever() {
    let fixture = Fixture::new().await;
    let mut other = fixture.owner.acquire().await.expect("a connection");
    let lock = "SELECT pg_advisory_lock(hashtext('task-app migrations'))";
    sqlx::raw_sql(lock).execute(&mut *other).await.expect("locked");
    let pid: i32 =
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *other).await.expect("a pid");
    let mut owner = owner(&fixture.database.owner_url);
    owner.migration_wait_seconds = 0;
    let error = migrate(&owner).await.expect_err("another one migrates");
    let error = format!("{error:#}");
    assert!(error.contains(&format!("session {pid} ")), "{error}");
    assert!(error.contains("pg_terminate_backend"), "{error}");
}

/// A server of its own: roles belong to all databases of a server.
struct OwnServer {
    _postgres: Server,
    _folder: tempfile::TempDir,
    superuser: SecretString,
}

impl OwnServer {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let state = State::open(folder.path().join("state")).expect("a state");
        let postgres = Server::postgres(&state, Durability::Throwaway).await.expect("a server");
        let superuser = postgres.url().clone();
        Self { _postgres: postgres, _folder: folder, superuser }
    }

    fn url(&self, user: &str, database: &str) -> SecretString {
        let url = self.superuser.expose_secret();
        let (_, rest) = url.split_once('@').expect("a login");
        let (address, _) = rest.split_once('/').expect("a database");
        format!("postgres://{user}:secret@{address}/{database}").into()
    }

    /// What the master user of RDS is: it may create roles and databases, and is no superuser.
    async fn create_master(&self, user: &str) {
        let create = format!("CREATE ROLE {user} LOGIN CREATEROLE CREATEDB PASSWORD 'secret'");
        execute(&self.superuser, create).await;
        execute(&self.url(user, "postgres"), format!("CREATE DATABASE of_{user}")).await;
    }
}

async fn execute(url: &SecretString, sql: String) {
    let mut connection = PgConnection::connect(url.expose_secret()).await.expect("a connection");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("executed");
    connection.close().await.expect("closed");
}

#[tokio::test]
async fn a_user_that_may_create_roles_and_is_no_superuser_migrates() {
    let server = OwnServer::start().await;
    server.create_master("master").await;
    let url = server.url("master", "of_master");
    migrate(&owner(&url)).await.expect("migrated");
    migrate(&owner(&url)).await.expect("nothing to do");

    let login = "CREATE ROLE writer LOGIN PASSWORD 'secret'; GRANT task_app_writer TO writer";
    execute(&url, login.to_owned()).await;
    let store = connect_with(&server.url("writer", "of_master"), &[]);
    let batch = vec![incoming("1", new_task(), create("Buy milk"))];
    store.apply(batch, now()).await.expect("applied");

    // The roles are there already, for another database and another master.
    execute(&url, "CREATE DATABASE another".to_owned()).await;
    migrate(&owner(&server.url("master", "another"))).await.expect("migrated");
    server.create_master("other").await;
    let others = owner(&server.url("other", "of_other"));
    // Since version 16, who made a role says who may act as it.
    if let Err(error) = migrate(&others).await {
        let grant = "GRANT task_app_owner TO other";
        assert!(format!("{error:#}").contains(grant), "{error:#}");
        execute(&url, grant.to_owned()).await;
        migrate(&others).await.expect("migrated");
    }
}

#[tokio::test]
async fn a_new_database_knows_the_letters_of_every_script() {
    let server = OwnServer::start().await;
    server.create_master("master").await;
    let of_ascii = "CREATE DATABASE of_ascii TEMPLATE template0 LC_CTYPE 'C'";
    execute(&server.url("master", "postgres"), of_ascii.to_owned()).await;
    let url = server.url("master", "of_ascii");
    let error = migrate(&owner(&url)).await.expect_err("ASCII only");
    assert!(format!("{error:#}").contains("LC_CTYPE 'C.UTF-8'"), "{error:#}");

    // One of before goes on.
    execute(&url, "CREATE TABLE tasks ()".to_owned()).await;
    let error = migrate(&owner(&url)).await.expect_err("tasks are there");
    assert!(format!("{error:#}").contains("migrating the schema"), "{error:#}");
}
