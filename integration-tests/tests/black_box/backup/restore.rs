//! `backup restore`: what it refuses, and what follows.

use redis::AsyncCommands as _;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _};

use super::fixture::{Fixture, id, number, stderr};
use crate::support::load::Load;

#[tokio::test]
async fn a_database_that_somebody_may_miss_is_refused() {
    let (fixture, load) = (Fixture::new().await, Load::on(20, 5, 200));
    let manifest = fixture.dump().await;
    let mut worker = fixture.system.worker().await;
    fixture.system.send(&load.messages).await;
    fixture.system.processed(load.distinct).await;
    let owner = &fixture.system.database.owner_url;
    let name: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(&fixture.system.owner)
        .await
        .expect("a name");
    let refused = async |more: &[&str], expected: &str| {
        let output = fixture.restore(id(&manifest), owner, more).await;
        assert_eq!(output.status.code(), Some(1), "{expected}: {output:?}");
        assert!(stderr(&output).contains(expected), "{expected}: {output:?}");
    };
    refused(&["--replace", &name], "stop the functions first").await;
    worker.stop().await.expect("stopped");
    fixture.system.owner.close().await;
    refused(&[], &format!("--replace {name}")).await;
    refused(&["--replace", "other"], "and not to other").await;
    let pool = sqlx::PgPool::connect(owner.expose_secret()).await.expect("a login");
    let tasks = number(&pool, "SELECT count(*) FROM tasks").await;
    pool.execute("CREATE TABLE of_others (id integer)").await.expect("a table");
    pool.close().await;
    refused(&["--replace", &name], "not of task-app: of_others").await;
    let pool = sqlx::PgPool::connect(owner.expose_secret()).await.expect("a login");
    pool.execute("DROP TABLE of_others").await.expect("no table");
    pool.close().await;

    let output = fixture.restore(id(&manifest), owner, &["--replace", &name]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let note = format!("{name} holds {tasks} tasks, {tasks} of them changed since");
    assert!(stderr(&output).contains(&note), "{output:?}");
    let pool = sqlx::PgPool::connect(owner.expose_secret()).await.expect("a login");
    assert_eq!(number(&pool, "SELECT count(*) FROM tasks").await, 0);
}

#[tokio::test]
async fn a_damaged_backup_costs_no_database() {
    let (fixture, load) = (Fixture::new().await, Load::on(20, 5, 100));
    fixture.system.send(&load.messages).await;
    let mut worker = fixture.system.worker().await;
    fixture.system.processed(load.distinct).await;
    worker.stop().await.expect("stopped");
    let manifest = fixture.dump().await;
    let mut body = fixture.object(id(&manifest)).await;
    *body.last_mut().expect("a byte") ^= 1;
    fixture.put(id(&manifest), body).await;
    let name: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(&fixture.system.owner)
        .await
        .expect("a name");
    let tasks = fixture.system.count("SELECT count(*) FROM tasks").await;
    fixture.system.owner.close().await;
    let owner = &fixture.system.database.owner_url;
    let output = fixture.restore(id(&manifest), owner, &["--replace", &name]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("was altered"), "{output:?}");
    let pool = sqlx::PgPool::connect(owner.expose_secret()).await.expect("a login");
    assert_eq!(number(&pool, "SELECT count(*) FROM tasks").await, tasks);
}

#[tokio::test]
async fn leases_are_void_and_the_cache_is_empty_afterwards() {
    let (fixture, load) = (Fixture::new().await, Load::on(10, 8, 60));
    fixture.system.send(&load.messages).await;
    let _worker = fixture.system.worker().await;
    fixture.system.processed(load.distinct).await;
    let far = "UPDATE outbox_shards SET holder = gen_random_uuid(),
            leased_until = now() + interval '30 minutes';
        INSERT INTO outbox_relays (id, seen_until) VALUES (gen_random_uuid(), now() + interval '1 hour')";
    fixture.system.owner.execute(AssertSqlSafe(far)).await.expect("leases");
    let manifest = fixture.dump().await;

    let redis = fixture.system.redis_url.expose_secret();
    let client = redis::Client::open(redis).expect("a URL");
    let mut redis_connection = client.get_multiplexed_async_connection().await.expect("Redis");
    let _: () = redis_connection.set("task:v2:{acme}:later", "9").await.expect("set");
    let (url, restored) = fixture.empty_database().await;
    let output = fixture.restore(id(&manifest), &url, &["--redis-url", redis]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&printed["leases_voided"], &printed["cache_emptied"]),
        (&16.into(), &true.into()),
        "{printed}"
    );
    let newest = printed["inbox"]["newest"].as_str().expect("a time");
    assert!(newest <= printed["taken_at"].as_str().expect("a time"), "{printed}");
    let held = "SELECT count(*) FROM outbox_shards WHERE holder IS NOT NULL";
    assert_eq!(number(&restored, held).await, 0);
    assert_eq!(number(&restored, "SELECT count(*) FROM outbox_relays").await, 0);
    let keys: i64 = redis::cmd("DBSIZE").query_async(&mut redis_connection).await.expect("a count");
    assert_eq!(keys, 0);
}

#[tokio::test]
async fn what_is_no_backup_is_named() {
    let fixture = Fixture::new().await;
    let error = fixture.fails(&["verify"]).await;
    assert!(error.contains("there is no backup in s3://"), "{error}");
    let (url, _) = fixture.empty_database().await;
    let output = fixture.restore("20260131T093000Z-1f2e3d4c", &url, &[]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("has no backup 20260131T093000Z-1f2e3d4c"), "{output:?}");
}
