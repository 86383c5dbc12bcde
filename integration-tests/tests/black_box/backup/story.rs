//! `make recover`: the database is destroyed, and nothing is lost or doubled in the end.
//!
//! Commands arrive while a backup is taken, and go on after it. Then the database is gone. It is restored
//! from S3, the checker finds exactly the tasks of the snapshot, and the producers send everything again.

use std::collections::HashSet;
use std::time::Instant;

use secrecy::ExposeSecret as _;
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::fixture::{Fixture, id};
use crate::support::load::Load;

/// Says what happens, to whoever runs `make recover`.
#[expect(clippy::print_stdout, reason = "what `make recover` prints")]
fn say(text: &str) {
    println!("  {text}");
}

/// Drops the database and makes an empty one of its name.
async fn destroy(fixture: &Fixture) {
    let url = fixture.system.database.owner_url.expose_secret();
    let options: PgConnectOptions = url.parse().expect("a URL");
    let name = options.get_database().expect("a name").to_owned();
    let mut server = options.database("postgres").connect().await.expect("a login");
    for statement in [
        format!("DROP DATABASE {name} WITH (FORCE)"),
        format!("CREATE DATABASE {name} TEMPLATE template0"),
    ] {
        server.execute(AssertSqlSafe(statement)).await.expect("done");
    }
    server.close().await.expect("closed");
}

/// The commands that took effect.
async fn processed(fixture: &Fixture) -> HashSet<String> {
    let ids: Vec<String> = sqlx::query_scalar("SELECT command_id FROM inbox")
        .fetch_all(&fixture.system.owner)
        .await
        .expect("commands");
    ids.into_iter().collect()
}

async fn recover(commands: usize) {
    let (fixture, load) = (Fixture::new().await, Load::on(200, 77, commands));
    let system = &fixture.system;
    let mut worker = system.worker().await;
    let backup = async {
        system.processed_some().await;
        fixture.dump().await
    };
    let ((), manifest) = tokio::join!(system.send(&load.messages), backup);
    system.processed(load.distinct).await;
    let rows = |table: &str| manifest["contents"]["tables"][table]["rows"].clone();
    let (tasks, known) = (rows("tasks"), rows("inbox"));
    let (distinct, seconds) = (load.distinct, manifest["seconds"].as_f64().expect("seconds"));
    say(&format!("{distinct} commands are processed, and were sent {} times", load.messages.len()));
    say(&format!(
        "a backup was taken meanwhile, in {seconds:.2} s: {tasks} tasks, {known} commands"
    ));
    assert!(known.as_i64().expect("a number") < distinct, "the backup is of the middle");

    worker.stop().await.expect("stopped");
    destroy(&fixture).await;
    say("the database is destroyed");

    let begun = Instant::now();
    let output = fixture.restore(id(&manifest), &system.database.owner_url, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let restored: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(restored["rows"].as_i64(), {
        let tables = manifest["contents"]["tables"].as_object().expect("tables");
        Some(tables.values().map(|table| table["rows"].as_i64().expect("a number")).sum())
    });
    let before = load.of(&processed(&fixture).await);
    before.assert_is_what_is_left(system).await;
    let seconds = begun.elapsed().as_secs_f64();
    say(&format!("it is restored from S3 and checked, in {seconds:.2} s"));
    say(&format!("it has exactly the tasks that {known} commands make"));

    let mut worker = system.worker().await;
    system.send(&load.messages).await;
    system.processed(load.distinct).await;
    load.assert_is_what_is_left(system).await;
    let again = distinct - known.as_i64().expect("a number");
    say(&format!(
        "the producers sent everything again: {again} commands took effect, {known} had no second one"
    ));
    worker.stop().await.expect("stopped");
    let verified = fixture.json(&["verify"]).await.remove(0);
    assert_eq!(verified["good"], true);
}

#[tokio::test]
async fn a_destroyed_database_comes_back_and_nothing_is_doubled() {
    recover(1_500).await;
}

/// The target names this test, which may be renamed.
#[test]
fn make_recover_runs_it() {
    let mut make = std::process::Command::new("make");
    make.args(["--dry-run", "recover"]).current_dir(local_stack::repository());
    let printed = make.env_remove("MAKEFLAGS").output().expect("make").stdout;
    let printed = String::from_utf8(printed).expect("text");
    let story = std::any::type_name_of_val(&a_destroyed_database_comes_back_and_nothing_is_doubled);
    let (_, name) = story.rsplit_once("::").expect("a module");
    assert!(printed.contains(&format!("'test({name})'")), "{name}: {printed}");
}

#[tokio::test]
#[ignore = "it takes minutes: make test-long"]
async fn a_destroyed_database_comes_back_after_fifty_thousand_commands() {
    recover(50_000).await;
}
