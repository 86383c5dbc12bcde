//! A password that Secrets Manager replaces while functions run: first in PostgreSQL, then in the
//! secret.

use std::time::Duration;

use local_stack::Function;
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

use super::{Secrets, apart};
use crate::conformance::Host;
use crate::support::event_source_mapping::{Mapping, TIME};
use crate::support::system::{PATIENCE, TestSystem, event, eventually};
use fake_lambda::LambdaApi;

/// A login of PostgreSQL with a secret.
struct Login<'a> {
    system: &'a TestSystem,
    secrets: Secrets,
    user: String,
    arn: String,
}

impl<'a> Login<'a> {
    async fn create(system: &'a TestSystem) -> Self {
        let user = format!("rotated_{}", Uuid::new_v4().simple());
        let secrets = Secrets::of(system);
        let arn = secrets.create(&value(&user, "old")).await;
        let login = Self { system, secrets, user, arn };
        let user = &login.user;
        login
            .execute(format!(
                "CREATE ROLE {user} LOGIN PASSWORD 'old'; GRANT task_app_writer TO {user}"
            ))
            .await;
        login
    }

    async fn execute(&self, sql: String) {
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
        sql.execute(&self.system.owner).await.expect("executed");
    }

    /// PostgreSQL has another password, and no session is left of the one before.
    async fn set_password(&self, password: &str) {
        let user = &self.user;
        self.execute(format!("ALTER ROLE {user} PASSWORD '{password}'")).await;
        self.execute(format!(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = '{user}'"
        ))
        .await;
    }

    async fn set_secret(&self, password: &str) {
        self.secrets.replace(&self.arn, &value(&self.user, password)).await;
    }

    async fn drop(self) {
        let user = &self.user;
        self.execute(format!("DROP OWNED BY {user}; DROP ROLE {user}")).await;
    }
}

fn value(user: &str, password: &str) -> String {
    json!({ "username": user, "password": password }).to_string()
}

/// The worker as this login, and what feeds it if it is a Lambda.
async fn start(host: Host, login: &Login<'_>) -> (Function, Option<Mapping>) {
    let system = login.system;
    let (url, _) = apart(&system.database.writer_url);
    let settings = [("DATABASE_URL", url.as_str()), ("DATABASE_SECRET_ARN", &login.arn)];
    if host == Host::Pod {
        let mut worker = system.start_worker("worker", &settings);
        worker.ready(PATIENCE).await.expect("a worker that is ready");
        return (worker, None);
    }
    let api = LambdaApi::start().await;
    let environment = api.environment();
    let lambda = environment.iter().map(|(name, value)| (*name, value.as_str()));
    let settings: Vec<_> = settings.into_iter().chain(lambda).collect();
    let worker = system.start_worker("worker", &settings);
    let mapping = Mapping::start(system.sqs.clone(), system.queue.url.clone(), api, TIME);
    (worker, Some(mapping))
}

fn log(system: &TestSystem) -> String {
    std::fs::read_to_string(system.state.log("worker")).expect("a log")
}

async fn send(system: &TestSystem, count: usize) {
    let commands: Vec<_> = (0..count).map(|_| Uuid::now_v7().to_string()).collect();
    let command = |task: String| {
        let command = event(&task, "create-task", &task, &json!({"title": "Buy milk"}));
        (task, command)
    };
    system.send(&commands.into_iter().map(command).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn a_password_that_is_replaced_is_taken_up_without_a_restart_in_both_hosts() {
    for host in [Host::Pod, Host::Lambda] {
        let system = TestSystem::new().await;
        let login = Login::create(&system).await;
        let (worker, mapping) = start(host, &login).await;
        send(&system, 3).await;
        system.processed(3).await;

        for (round, password) in ["new", "newer"].into_iter().enumerate() {
            let refused = || log(&system).matches("password authentication failed").count();
            let before = refused();
            login.set_password(password).await;
            send(&system, 3).await;
            // The secret of a pod has the old one meanwhile, and is read more than once. In a Lambda a
            // second failure would have the messages wait for two minutes.
            if host == Host::Pod {
                let again = async || (refused() > before).then_some(());
                eventually("the login is refused", again).await;
                sleep(Duration::from_secs(3)).await;
            }
            login.set_secret(password).await;
            system.processed(6 + 3 * i64::try_from(round).expect("a number")).await;
        }
        let said = async || log(&system).contains("the login there changed").then_some(());
        eventually(&format!("a {host:?} says that the login changed"), said).await;
        assert!(!log(&system).contains("newer"), "{host:?}");
        assert!(system.take_dead_letters().await.is_empty(), "{host:?}");
        drop((worker, mapping));
        login.set_password("none").await;
        login.drop().await;
    }
}
