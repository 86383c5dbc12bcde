//! A pod behind a load balancer that goes on sending for a while after SIGTERM.

use std::time::Duration;

use local_stack::Function;
use nix::sys::signal::Signal;
use reqwest::{Client, Response, StatusCode};
use tokio::time::Instant;

use crate::support::system::{Api, TestSystem, binary, eventually};

async fn get(client: &Client, url: &str) -> Option<Response> {
    client.get(url).send().await.ok()
}

fn terminate(api: &mut Api) {
    api.function.process().signal(Signal::SIGTERM).expect("a signal");
}

#[tokio::test]
async fn a_pod_serves_on_until_its_load_balancer_knows_and_then_ends_well() {
    let system = TestSystem::new().await;
    let environment = system.api_environment(&system.database.reader_url);
    let environment = environment.with("HTTP_LAME_DUCK_SECONDS", "8");
    let mut api = system.api("task-reader", environment).await;
    let page = format!("{}/openapi.json", api.url);
    let kept = Client::new();
    let before = get(&kept, &page).await.expect("an answer");
    assert!(before.headers().get("connection").is_none());
    before.bytes().await.expect("a body");

    let begun = Instant::now();
    terminate(&mut api);
    let readiness = api.function.health_url("readyz");
    eventually("it is not ready", async || {
        let ready = get(&Client::new(), &readiness).await?;
        (ready.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    for client in [kept, Client::new()] {
        let answer = get(&client, &page).await.expect("an answer while it is not ready");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["connection"], "close");
    }
    let status = api.function.process().wait().await.expect("an end");
    assert!(status.success(), "{status}");
    assert!(begun.elapsed() >= Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_refused_at_the_start() {
    let system = TestSystem::new().await;
    let environment = system.api_environment(&system.database.reader_url);
    let environment = environment
        .with("HTTP_ADDR", "127.0.0.1:0")
        .with("HTTP_LAME_DUCK_SECONDS", "20")
        .with("DRAIN_TIMEOUT_SECONDS", "25");
    let name = "task-reader";
    let mut reader =
        Function::start(&binary(name), name, &environment, &system.state).expect("a process");
    let status = reader.process().wait().await.expect("an end");
    assert!(!status.success());
    let log = system.log(name);
    let error = log.iter().filter_map(|line| line["error"].as_str()).collect::<String>();
    assert!(
        error.contains("HTTP_LAME_DUCK_SECONDS") && error.contains("DRAIN_TIMEOUT_SECONDS"),
        "{log:?}"
    );
}
