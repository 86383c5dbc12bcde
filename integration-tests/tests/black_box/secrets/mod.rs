//! Secrets that settings name by ARN, as Lambdas have them.

mod refused;
mod rotated;

use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use fake_lambda::{Call, LambdaApi, Sender};
use local_stack::{Environment, Function};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::relay::facts_queue;
use crate::support::event_source_mapping::{Mapping, TIME};
use crate::support::system::{TestSystem, event};

/// The Secrets Manager of a test.
struct Secrets(Client);

impl Secrets {
    fn of(system: &TestSystem) -> Self {
        Self(Client::new(&system.aws.config()))
    }

    /// A new secret's ARN.
    async fn create(&self, value: &str) -> String {
        let name = format!("test/{}", Uuid::new_v4());
        let created = self.0.create_secret().name(name).secret_string(value).send().await;
        created.expect("a secret").arn.expect("an ARN")
    }

    async fn replace(&self, arn: &str, value: &str) {
        let put = self.0.put_secret_value().secret_id(arn).secret_string(value);
        put.send().await.expect("a new value");
    }
}

/// A URL without its login, and what a secret of RDS has of it. The server that such a secret names is
/// not the one to connect to: that may be a proxy.
fn apart(url: &SecretString) -> (String, String) {
    let mut url = Url::parse(url.expose_secret()).expect("a URL");
    let value = json!({
        "engine": "postgres", "host": "instance.example", "port": 1, "dbname": "other",
        "username": url.username(), "password": url.password(),
    });
    without_login(&mut url);
    (url.into(), value.to_string())
}

fn without_login(url: &mut Url) {
    url.set_username("").expect("a host");
    url.set_password(None).expect("a host");
}

/// What a Lambda finds in its environment: no secret, but the ARN of each.
async fn by_arn(system: &TestSystem, login: &SecretString) -> Environment {
    let secrets = Secrets::of(system);
    let (database_url, database) = apart(login);
    let mut redis_url = Url::parse(system.redis_url.expose_secret()).expect("a URL");
    let token = json!({ "token": redis_url.password().expect("a password") });
    without_login(&mut redis_url);
    let key = system.state.secret("cursor-key").expect("a secret");
    let key = json!({ "key": key.expose_secret() });
    system
        .api_environment(login)
        .without("CURSOR_KEY")
        .with("DATABASE_URL", database_url)
        .with("DATABASE_SECRET_ARN", secrets.create(&database).await)
        .with("REDIS_URL", redis_url.as_str())
        .with("REDIS_SECRET_ARN", secrets.create(&token.to_string()).await)
        .with("CURSOR_KEY_SECRET_ARN", secrets.create(&key.to_string()).await)
        .with("QUEUE_URL", &system.queue.url)
}

/// A function that runs as a Lambda; it ends with this.
struct Lambda {
    api: LambdaApi,
    _function: Function,
}

impl Lambda {
    async fn start(system: &TestSystem, name: &str, environment: &Environment) -> Self {
        let api = LambdaApi::start().await;
        let function = system.start_lambda(name, environment, &api);
        Self { api, _function: function }
    }

    /// The load balancer's request, and the body of the answer.
    async fn request(&self, system: &TestSystem, method: &str, path: &str, query: &str) -> Value {
        let headers = vec![
            ("authorization", format!("Bearer {}", system.token("acme"))),
            ("cache-control", "no-cache".to_owned()),
        ];
        let call = Call { method, path, query, headers, body: Vec::new() };
        let answer = self.invoke(Sender::LoadBalancer.event(&call)).await;
        assert_eq!(answer["statusCode"], 200, "{method} {path}?{query}: {answer}");
        serde_json::from_str(answer["body"].as_str().expect("a body")).expect("JSON")
    }

    async fn invoke(&self, event: Value) -> Value {
        let id = Uuid::new_v4().to_string();
        self.api.invoke(&id, Duration::from_mins(1), event).await.expect("an answer")
    }
}

#[tokio::test]
async fn every_function_with_a_database_runs_as_a_lambda_without_a_secret_in_its_environment() {
    let system = TestSystem::new().await;
    system.create_tables().await;
    let database = &system.database;

    let migrating = by_arn(&system, &database.owner_url).await;
    let migrate = Lambda::start(&system, "migrate", &migrating).await;
    assert_eq!(migrate.invoke(json!({})).await, json!(null));

    let writing = by_arn(&system, &database.writer_url).await;
    let worker = Lambda::start(&system, "command-worker", &writing).await;
    let Lambda { api, _function } = worker;
    let _mapping = Mapping::start(system.sqs.clone(), system.queue.url.clone(), api, TIME);
    let tasks = [Uuid::now_v7().to_string(), Uuid::now_v7().to_string()];
    for task in &tasks {
        let command = event(task, "create-task", task, &json!({"title": "Buy milk"}));
        system.send(&[(task.clone(), command)]).await;
    }
    system.processed(2).await;

    let writer = Lambda::start(&system, "task-writer", &writing).await;
    let path = format!("/v1/tasks/{}", tasks[0]);
    let completed = writer.request(&system, "POST", &format!("{path}/complete"), "").await;
    assert_eq!(completed["status"], "completed");

    let reading = by_arn(&system, &database.reader_url).await;
    let reader = Lambda::start(&system, "task-reader", &reading).await;
    let read = reader.request(&system, "GET", &path, "").await;
    assert_eq!(read["status"], "completed");
    // Its cursors are signed with the key of the other secret.
    let page = reader.request(&system, "GET", "/v1/tasks", "limit=1").await;
    assert_eq!(page["tasks"].as_array().map(Vec::len), Some(1), "{page}");

    let facts = facts_queue(&system).await;
    let relaying = by_arn(&system, &database.relay_url).await.with("FACT_QUEUE_URLS", &facts.url);
    let relay = Lambda::start(&system, "outbox-relay", &relaying).await;
    assert_eq!(relay.invoke(json!({})).await, json!(null));
    assert_eq!(system.count("SELECT count(*) FROM outbox").await, 0);

    let sweeping = by_arn(&system, &database.attachments_url).await;
    let sweeping = sweeping.with("ATTACHMENT_PART", "sweep").with("ATTACHMENT_BUCKET", "none");
    let sweep = Lambda::start(&system, "attachment-worker", &sweeping).await;
    assert_eq!(sweep.invoke(json!({})).await, json!(null));

    assert_cached(&system).await;
    assert_nothing_is_logged(&system);
}

/// Redis takes the token of its secret: a function that cannot log in does without.
async fn assert_cached(system: &TestSystem) {
    let client = redis::Client::open(system.redis_url.expose_secret()).expect("a URL");
    let mut redis = client.get_multiplexed_async_connection().await.expect("a connection");
    let keys: u64 = redis::cmd("DBSIZE").query_async(&mut redis).await.expect("a number");
    assert!(keys > 0, "nothing was cached");
}

fn assert_nothing_is_logged(system: &TestSystem) {
    let (_, login) = apart(&system.database.writer_url);
    let login: Value = serde_json::from_str(&login).expect("JSON");
    let key = system.state.secret("cursor-key").expect("a secret");
    for name in ["migrate", "command-worker", "task-writer", "task-reader", "outbox-relay"] {
        let log = std::fs::read_to_string(system.state.log(name)).expect("a log");
        assert!(!log.contains(login["password"].as_str().expect("a password")), "{name}");
        assert!(!log.contains(key.expose_secret()), "{name}");
    }
}
