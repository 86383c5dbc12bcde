//! One test's system: its database, its queue, its issuer, its functions.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, SendMessageBatchRequestEntry};
use clap::Parser;
use fake_lambda::LambdaApi;
use local_stack::{
    ALL_SCOPES, AUDIENCE, AwsAccess, Environment, External, Function, Issuer, Queue, State,
    TestDatabase, create_fifo_queue, create_table, ports, repository,
};
use reqwest::header::{CACHE_CONTROL, HeaderMap, HeaderValue};
use resources::resources;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sqlx::PgPool;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::support::private_servers;

/// The binary of all functions.
pub(crate) const TASK_APP: &str = "task-app";
/// How long to wait for what must happen. Long: it bounds a failure, it measures nothing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// Limits that are counted and never met: all tests share the tenants of one Redis.
const NEVER_LIMITED: [(&str, &str); 8] = [
    ("RATE_LIMIT_READ_PER_MINUTE", "1000000"),
    ("RATE_LIMIT_READ_BURST", "1000000"),
    ("RATE_LIMIT_LIST_PER_MINUTE", "1000000"),
    ("RATE_LIMIT_LIST_BURST", "1000000"),
    ("RATE_LIMIT_WRITE_PER_MINUTE", "1000000"),
    ("RATE_LIMIT_WRITE_BURST", "1000000"),
    ("RATE_LIMIT_BULK_PER_MINUTE", "1000000"),
    ("RATE_LIMIT_BULK_BURST", "1000000"),
];
/// How often a message is delivered before it becomes a dead letter: half as often as is shipped, so
/// that the tests of dead letters take less time.
const MAX_RECEIVE_COUNT: u8 = 5;
/// What a function logs when a task of it panics.
pub(crate) const PANICKED: &str = "a task panicked";

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    servers: External,
}

pub(crate) struct TestSystem {
    name: String,
    pub(crate) database: TestDatabase,
    pub(crate) owner: PgPool,
    pub(crate) sqs: Client,
    pub(crate) queue: Queue,
    pub(crate) issuer: Issuer,
    pub(crate) client: reqwest::Client,
    pub(crate) aws: AwsAccess,
    pub(crate) redis_url: SecretString,
    pub(crate) state: State,
    _folder: TempDir,
}

/// An HTTP function and where it listens.
pub(crate) struct Api {
    pub(crate) function: Function,
    pub(crate) url: String,
}

impl Drop for TestSystem {
    /// Whatever a test is about: a task that panics ends alone, and only the log says so. A script may want it.
    fn drop(&mut self) {
        let logs = self.state.log("any").parent().and_then(|folder| fs::read_dir(folder).ok());
        for log in logs.into_iter().flatten().flatten() {
            let lines = fs::read_to_string(log.path()).unwrap_or_default();
            let is_panic = |line: &&str| {
                line.contains(PANICKED) && !line.contains("scripted-handler/script.rs")
            };
            let panic = lines.lines().find(is_panic);
            assert!(
                panic.is_none() || std::thread::panicking(),
                "{panic:?} in {}",
                log.path().display()
            );
        }
    }
}

impl TestSystem {
    pub(crate) async fn new() -> Self {
        let servers = Settings::parse_from(["test"]).servers;
        let redis_url = servers.redis_url.clone().expect("REDIS_URL");
        let database = TestDatabase::create().await.expect("a test database");
        Self::with(&servers, database, private_servers::database(&redis_url).await).await
    }

    /// With a Redis of the test's own.
    pub(crate) async fn with_redis(redis_url: &SecretString) -> Self {
        let servers = Settings::parse_from(["test"]).servers;
        let database = TestDatabase::create().await.expect("a test database");
        Self::with(&servers, database, redis_url.clone()).await
    }

    /// With a PostgreSQL of the test's own.
    pub(crate) async fn with_postgres(url: &SecretString) -> Self {
        let servers = Settings::parse_from(["test"]).servers;
        let redis_url = servers.redis_url.clone().expect("REDIS_URL");
        let database = TestDatabase::create_on(url).await.expect("a test database");
        Self::with(&servers, database, private_servers::database(&redis_url).await).await
    }

    async fn with(servers: &External, database: TestDatabase, redis_url: SecretString) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let state = State::open(folder.path()).expect("a state folder");
        let aws = AwsAccess::external(servers).expect("AWS_ENDPOINT_URL");
        let sqs = aws.sqs();
        let name = format!("test-{}", Uuid::new_v4().simple());
        let queue = create_fifo_queue(&sqs, &name, MAX_RECEIVE_COUNT).await.expect("a queue");
        let issuer = Issuer::create(&state).expect("an issuer");
        issuer.serve().await.expect("a served issuer");
        Self {
            name,
            owner: PgPool::connect_lazy(database.owner_url.expose_secret()).expect("a URL"),
            client: client(),
            database,
            sqs,
            queue,
            issuer,
            aws,
            redis_url,
            state,
            _folder: folder,
        }
    }

    /// What every function finds in its environment; the database as `login`.
    pub(crate) fn environment(&self, login: &SecretString) -> Environment {
        self.aws
            .environment()
            .with("LOG_FORMAT", "json")
            .with("HISTORY_TABLE", self.table("history"))
            .with("OPERATIONS_TABLE", self.table("operations"))
            .with_secret("DATABASE_URL", login)
            .with_secret("REDIS_URL", &self.redis_url)
    }

    /// Starts a worker under `name`, without waiting for it.
    pub(crate) fn start_worker(&self, name: &str, settings: &[(&str, &str)]) -> Function {
        let environment = self
            .environment(&self.database.writer_url)
            .with("QUEUE_URL", &self.queue.url)
            .with("QUEUE_WAIT_SECONDS", "1")
            .with("BACKOFF_BASE_MS", "100");
        let environment =
            settings.iter().fold(environment, |all, (name, value)| all.with(name, value));
        Function::start(&binary("command-worker"), name, &environment, &self.state)
            .expect("a process")
    }

    pub(crate) async fn worker(&self) -> Function {
        let mut worker = self.start_worker("command-worker", &[]);
        worker.ready(PATIENCE).await.expect("a worker that is ready");
        worker
    }

    pub(crate) async fn reader(&self) -> Api {
        self.api_with("task-reader", &self.database.reader_url, &[]).await
    }

    pub(crate) async fn writer(&self) -> Api {
        self.writer_with(&[]).await
    }

    /// A writer with further settings.
    pub(crate) async fn writer_with(&self, settings: &[(&str, &str)]) -> Api {
        self.api_with("task-writer", &self.database.writer_url, settings).await
    }

    /// An HTTP function as a pod, with further settings.
    pub(crate) async fn api_with(
        &self,
        name: &str,
        login: &SecretString,
        settings: &[(&str, &str)],
    ) -> Api {
        let add = |all: Environment, (name, value): &(&str, &str)| all.with(name, value);
        self.api(name, settings.iter().fold(self.api_environment(login), add)).await
    }

    /// An HTTP function as a pod.
    pub(crate) async fn api(&self, name: &str, environment: Environment) -> Api {
        let address = ports::loopback(ports::free(None).expect("a free port"));
        let environment = environment.with("HTTP_ADDR", address.to_string());
        let mut function =
            Function::start(&binary(name), name, &environment, &self.state).expect("a process");
        function.ready(PATIENCE).await.expect("a function that is ready");
        Api { function, url: format!("http://{address}") }
    }

    /// What an HTTP function finds in its environment, but for its address.
    pub(crate) fn api_environment(&self, login: &SecretString) -> Environment {
        let add = |all: Environment, (name, value): (&str, &str)| all.with(name, value);
        NEVER_LIMITED
            .into_iter()
            .fold(self.environment(login), add)
            .with("AUTH_ISSUER", self.issuer.url())
            .with("AUTH_AUDIENCE", AUDIENCE)
            .with("AUTH_JWKS_URL", self.issuer.jwks_url())
            .with("COMMAND_QUEUE_URL", &self.queue.url)
            .with_secret("CURSOR_KEY", &self.state.secret("cursor-key").expect("a secret"))
    }

    /// Starts a function as the Lambda behind `api`.
    pub(crate) fn start_lambda(
        &self,
        name: &str,
        environment: &Environment,
        api: &LambdaApi,
    ) -> Function {
        let lambda = api.environment();
        let add = |all: Environment, (name, value): &(&str, String)| all.with(name, value);
        let environment = lambda.iter().fold(environment.clone(), add).with("_HANDLER", name);
        Function::start(&binary(TASK_APP), name, &environment, &self.state).expect("a process")
    }

    pub(crate) fn token(&self, tenant: &str) -> String {
        self.token_for(tenant, ALL_SCOPES)
    }

    /// Of another caller than the other tokens.
    pub(crate) fn token_of(&self, caller: &str, tenant: &str) -> String {
        let token = self.issuer.token_of(caller, tenant, ALL_SCOPES, Duration::from_mins(5));
        token.expect("a token").expose_secret().to_owned()
    }

    pub(crate) fn token_for(&self, tenant: &str, scopes: &str) -> String {
        let token = self.issuer.token(tenant, scopes, Duration::from_mins(5)).expect("a token");
        token.expose_secret().to_owned()
    }

    /// The first line of the log that is meant. A line is written after what it is about: whoever
    /// has an answer may be before it.
    pub(crate) async fn logged(&self, name: &str, is_meant: impl Fn(&Value) -> bool) -> Value {
        let find = async || self.log(name).into_iter().find(|line| is_meant(line));
        eventually(&format!("the line in the log of {name}"), find).await
    }

    /// What the function that was started under `name` has logged so far.
    pub(crate) fn log(&self, name: &str) -> Vec<Value> {
        let log = fs::read_to_string(self.state.log(name)).expect("a log");
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.aws.config()).force_path_style(true);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Creates the tables of the functions of this system.
    pub(crate) async fn create_tables(&self) {
        let (aws, tables) = (self.aws.config(), &resources().tables);
        for (described, of) in [(&tables.history, "history"), (&tables.operations, "operations")] {
            create_table(&aws, described, &self.table(of)).await.expect("a table");
        }
    }

    pub(crate) fn table(&self, of: &str) -> String {
        format!("{}-{of}", self.name)
    }

    /// Sends bodies in order, each under its group; every sending has a deduplication id of its
    /// own, so that a repeat is delivered.
    pub(crate) async fn send(&self, messages: &[(String, String)]) {
        for batch in messages.chunks(10) {
            let mut request = self.sqs.send_message_batch().queue_url(&self.queue.url);
            for (index, (group, body)) in batch.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_group_id(group)
                    .message_deduplication_id(Uuid::new_v4().to_string())
                    .message_body(body);
                request = request.entries(entry.build().expect("an entry"));
            }
            let sent = request.send().await.expect("an answer");
            assert!(sent.failed().is_empty(), "{:?}", sent.failed());
        }
    }

    /// Receives what is in the queue as often as it may be without being the last time.
    pub(crate) async fn use_up_deliveries(&self) {
        for _ in 1..MAX_RECEIVE_COUNT {
            let request = self.sqs.receive_message().queue_url(&self.queue.url);
            let received = request.wait_time_seconds(5).send().await.expect("an answer");
            let handle = received.messages()[0].receipt_handle().expect("a handle");
            let request = self.sqs.change_message_visibility().queue_url(&self.queue.url);
            let back = request.receipt_handle(handle).visibility_timeout(0);
            back.send().await.expect("a message that is back");
        }
    }

    /// Takes what the dead-letter queue holds at the moment.
    pub(crate) async fn take_dead_letters(&self) -> Vec<Message> {
        let url = &self.queue.dead_letter_url;
        let received = self
            .sqs
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(10)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .expect("an answer");
        for message in received.messages() {
            let handle = message.receipt_handle().expect("a handle");
            let delete = self.sqs.delete_message().queue_url(url).receipt_handle(handle);
            delete.send().await.expect("a deletion");
        }
        received.messages.unwrap_or_default()
    }

    /// The single value of a query.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.owner).await.expect("a count")
    }

    /// Waits until the inbox holds a command.
    pub(crate) async fn processed_some(&self) {
        eventually("a command is processed", async || {
            (self.count("SELECT count(*) FROM inbox").await > 0).then_some(())
        })
        .await;
    }

    /// Waits until the inbox holds `count` commands.
    pub(crate) async fn processed(&self, count: i64) {
        eventually("all commands are processed", async || {
            let processed: Result<i64, _> =
                sqlx::query_scalar("SELECT count(*) FROM inbox").fetch_one(&self.owner).await;
            (processed.ok() == Some(count)).then_some(())
        })
        .await;
    }
}

/// Sees what was written before, unless a request of it says otherwise: what a reader keeps in its own
/// process may be some milliseconds behind.
fn client() -> reqwest::Client {
    let current = (CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let client = reqwest::Client::builder().timeout(PATIENCE);
    client.default_headers(HeaderMap::from_iter([current])).build().expect("a client")
}

/// A binary of the build that this test belongs to; for a function, a link of its name to the one that
/// has them all.
pub(crate) fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let folder = test.ancestors().nth(2).expect("a target folder");
    let function = name == "publish" || repository().join("functions").join(name).is_dir();
    let is_linked = function && name != TASK_APP;
    let binary = folder.join(if is_linked { TASK_APP } else { name });
    assert!(binary.exists(), "{} is missing: run `make test`", binary.display());
    if is_linked { link(&binary, name) } else { binary }
}

/// Renamed into place, for other tests do the same at the same time.
fn link(binary: &Path, name: &str) -> PathBuf {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (new, link) = (folder.path().join(name), Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
    symlink(binary, &new).expect("a link");
    fs::rename(new, &link).expect("a link in its place");
    link
}

/// Waits until `check` gives a value, and fails after [`PATIENCE`].
pub(crate) async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(Instant::now() < end, "waited in vain: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// A command event's body.
pub(crate) fn event(id: &str, kind: &str, subject: &str, data: &Value) -> String {
    json!({
        "specversion": "1.0",
        "id": id,
        "source": "/black-box",
        "type": format!("dev.task-app.{kind}.v1"),
        "subject": subject,
        "time": "2026-01-31T09:30:00Z",
        "datacontenttype": "application/json",
        "tenant": "acme",
        "data": data,
    })
    .to_string()
}

/// The request with a JSON body, or, of null, without one.
pub(crate) fn with_body(request: reqwest::RequestBuilder, body: &Value) -> reqwest::RequestBuilder {
    if body.is_null() { request } else { request.json(body) }
}
