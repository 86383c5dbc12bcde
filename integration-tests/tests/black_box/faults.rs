//! Servers that become unavailable and come back.

use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::support::load::Load;
use crate::support::private_servers;
use crate::support::system::{TestSystem, event, eventually};

#[tokio::test]
async fn redis_stopped_and_started_slows_reads_down_and_breaks_nothing() {
    let (_folder, mut redis) = private_servers::redis().await;
    let system = TestSystem::with_redis(redis.url()).await;
    let _worker = system.worker().await;
    let reader = system.reader().await;
    let token = system.token("acme");
    let subject = Uuid::now_v7().to_string();
    let url = format!("{}/v1/tasks/{subject}", reader.url);

    let mut processed = 0;
    let mut step = async |kind: &str, title: &str| {
        let data = json!({"title": title});
        let data = if kind == "update-task" { json!({"patch": data}) } else { data };
        let body = event(&format!("{kind}-{title}"), kind, &subject, &data);
        system.send(&[(subject.clone(), body)]).await;
        processed += 1;
        system.processed(processed).await;
        eventually("the write is read", async || {
            let request = system.client.get(&url).header("cache-control", "max-age=60");
            let response = request.bearer_auth(&token).send().await.ok()?;
            assert!(response.status() != 500 && response.status() != 503, "{response:?}");
            let task: Value = response.json().await.ok()?;
            (task["title"] == title).then_some(())
        })
        .await;
    };
    step("create-task", "with").await;
    redis.stop().await.expect("stopped");
    step("update-task", "without").await;
    redis.restart().await.expect("started");
    step("update-task", "with-again").await;
}

#[tokio::test]
async fn postgresql_restarted_under_load_loses_and_repeats_nothing() {
    let (_folder, mut postgres) = private_servers::postgres().await;
    let system = TestSystem::with_postgres(postgres.url()).await;
    let load = Load::random(5, 600);
    let mut worker = system.start_worker("command-worker", &[]);
    tokio::join!(system.send(&load.messages), private_servers::restart_and_kill(&mut postgres));
    system.processed(load.distinct).await;
    load.assert_is_what_is_left(&system).await;
    worker.process().assert_runs().expect("the same worker all along");
    assert!(system.take_dead_letters().await.is_empty());
}

#[tokio::test]
async fn without_postgresql_the_api_says_so_and_is_not_ready() {
    let (_folder, mut postgres) = private_servers::postgres().await;
    let system = TestSystem::with_postgres(postgres.url()).await;
    let reader = system.reader().await;
    let token = system.token("acme");
    postgres.stop().await.expect("stopped");

    let url = format!("{}/v1/tasks", reader.url);
    let response = system.client.get(&url).bearer_auth(&token).send().await.expect("an answer");
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    let problem: Value = response.json().await.expect("JSON");
    assert_eq!(problem["type"], "urn:problem:unavailable");
    let ready = reader.function.health_url("readyz");
    let ready = system.client.get(ready).send().await.expect("an answer");
    assert_eq!(ready.status(), 503);

    postgres.restart().await.expect("restarted");
    eventually("the API works again", async || {
        let response = system.client.get(&url).bearer_auth(&token).send().await.ok()?;
        response.status().is_success().then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_an_issuer_callers_are_to_wait_and_the_log_says_why() {
    let system = TestSystem::new().await;
    let frozen = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let keys = format!("http://{}/keys", frozen.local_addr().expect("an address"));
    let environment = system.api_environment(&system.database.reader_url);
    let reader = system.api("task-reader", environment.with("AUTH_JWKS_URL", keys)).await;
    let request = system.client.get(format!("{}/v1/tasks", reader.url));
    let answer = request.bearer_auth(system.token("acme")).send().await.expect("an answer");
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let is_cause =
        |line: &Value| line["cause"].as_str().is_some_and(|cause| cause.contains("issuer"));
    let cause = system.logged("task-reader", is_cause).await;
    assert!(cause["request_id"].is_string(), "{cause}");
}
