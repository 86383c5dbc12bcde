//! A password that is changed while a store is in use.

use secrecy::{ExposeSecret as _, SecretString};
use store::{Config, Store};

use crate::fixture::{Fixture, create, incoming, new_task, now};

#[derive(clap::Parser)]
struct Arguments {
    #[command(flatten)]
    store: Config,
}

#[tokio::test]
async fn a_changed_password_is_taken_up_without_a_restart() {
    let fixture = Fixture::new().await;
    let user = format!("rotated_{}", new_task().as_uuid().simple());
    let set = async |statement: &str| {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        sqlx::raw_sql(statement).execute(&fixture.owner).await.expect("set");
    };
    set(&format!("CREATE ROLE {user} LOGIN PASSWORD 'old'; GRANT task_app_writer TO {user}")).await;

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("url");
    let write = |password: &str| {
        let url = login(&fixture.database.writer_url, &user, password);
        std::fs::write(&file, format!("{}\n", url.expose_secret())).expect("written");
    };
    write("old");
    let path = file.to_str().expect("a path");
    let arguments = ["test", "--redis-url=", "--database-url-file", path];
    let arguments = <Arguments as clap::Parser>::parse_from(arguments);
    let store = Store::connect(&arguments.store).await.expect("a store");
    let apply = async || {
        let task = new_task();
        let batch = vec![incoming(&task.to_string(), task, create("Buy milk"))];
        store.apply(batch, now()).await
    };
    apply().await.expect("applied");

    set(&format!("ALTER ROLE {user} PASSWORD 'new'")).await;
    set(&format!(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = '{user}'"
    ))
    .await;
    // One finds the connection closed, and the next the password wrong.
    let _ = apply().await;
    apply().await.expect_err("the password is wrong");
    write("new");
    apply().await.expect("applied");

    drop(store);
    set(&format!("DROP OWNED BY {user}; DROP ROLE {user}")).await;
}

fn login(url: &SecretString, user: &str, password: &str) -> SecretString {
    let (_, rest) = url.expose_secret().split_once('@').expect("a login");
    format!("postgres://{user}:{password}@{rest}").into()
}
