//! Every committed fact reaches every queue, in order per task, whatever happens to the relay and
//! to what it needs.

mod refused;
mod strict;
pub(crate) mod subscriber;
mod upkeep;

use std::time::Duration;

use local_stack::{Environment, Function, Proxy, Queue, create_fifo_queue};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::load::Load;
use crate::support::private_servers;
use crate::support::system::{PATIENCE, TestSystem, binary, event, eventually};
use fake_lambda::LambdaApi;
use subscriber::Subscriber;

/// What a relay finds in its environment. Small batches, so that there is a middle to be killed in.
fn environment(system: &TestSystem, queues: &[&str]) -> Environment {
    system
        .environment(&system.database.relay_url)
        .with("FACT_QUEUE_URLS", queues.join(","))
        .with("RELAY_LEASE_SECONDS", "2")
        .with("RELAY_BATCH_SIZE", "20")
}

fn start_relay(system: &TestSystem, name: &str, queues: &[&str]) -> Function {
    let environment = environment(system, queues);
    Function::start(&binary("outbox-relay"), name, &environment, &system.state).expect("a process")
}

pub(crate) async fn relay(system: &TestSystem, name: &str, queues: &[&str]) -> Function {
    let mut relay = start_relay(system, name, queues);
    relay.ready(PATIENCE).await.expect("a relay that is ready");
    relay
}

pub(crate) async fn facts_queue(system: &TestSystem) -> Queue {
    let name = format!("facts-{}", Uuid::new_v4().simple());
    create_fifo_queue(&system.sqs, &name, 5).await.expect("a queue")
}

async fn standard_queue(system: &TestSystem) -> String {
    let name = format!("standard-{}", Uuid::new_v4().simple());
    let created = system.sqs.create_queue().queue_name(name).send().await.expect("a queue");
    created.queue_url.expect("a URL")
}

/// The shards that somebody who is still there holds, and by how many replicas.
async fn holders(system: &TestSystem) -> (i64, i64) {
    let held = "SELECT count(*), count(DISTINCT holder) FROM outbox_shards
        WHERE leased_until > now() AND holder IN (SELECT id FROM outbox_relays)";
    sqlx::query_as(held).fetch_one(&system.owner).await.expect("counts")
}

#[tokio::test]
async fn every_fact_reaches_two_subscribers_with_two_relays_of_which_one_is_killed() {
    let system = TestSystem::new().await;
    let (ours, theirs) = (facts_queue(&system).await, facts_queue(&system).await);
    let queues = [ours.url.as_str(), theirs.url.as_str()];
    let load = Load::random(11, 600);
    let _worker = system.worker().await;
    let mut first = relay(&system, "first", &queues).await;
    let _second = relay(&system, "second", &queues).await;
    eventually("both hold shards", async || (holders(&system).await == (16, 2)).then_some(()))
        .await;

    tokio::join!(system.send(&load.messages), async {
        eventually("the relays are in the middle", async || {
            (system.count("SELECT coalesce(max(seq), 0) FROM outbox").await > 50).then_some(())
        })
        .await;
        first.kill().await.expect("killed");
    });
    system.processed(load.distinct).await;
    for queue in queues {
        Subscriber::new(&system, queue).receives_everything().await;
    }
    eventually("one holds all", async || (holders(&system).await == (16, 1)).then_some(())).await;
}

#[tokio::test]
async fn an_unavailable_queue_loses_nothing_and_the_others_get_no_fact_twice() {
    let system = TestSystem::new().await;
    // A FIFO queue would hide what is sent twice.
    let here = standard_queue(&system).await;
    let name = format!("absent-{}", Uuid::new_v4().simple());
    let folder = here.rsplit_once('/').expect("a name").0;
    let absent = format!("{folder}/{name}.fifo");
    let relay = relay(&system, "relay", &[&here, &absent]).await;
    let load = Load::random(12, 100);
    let _worker = system.worker().await;
    system.send(&load.messages).await;
    system.processed(load.distinct).await;
    let refused = format!("facts_refused_total{{queue=\"{name}.fifo\"}}");
    eventually("the queue is missed", async || metric(&system, &relay, &refused).await).await;
    eventually("the lag shows", async || {
        let lag = metric(&system, &relay, "outbox_lag_seconds").await?;
        let unsent = metric(&system, &relay, "outbox_unsent").await?;
        (lag > 0.0 && unsent > 0.0).then_some(())
    })
    .await;

    let parked = "SELECT count(*) FROM outbox_blocked_tasks";
    assert_eq!(system.count(parked).await, 0, "an outage is no fact's fault");
    let ready = system.client.get(relay.health_url("readyz")).send().await.expect("an answer");
    assert_eq!(ready.status(), 503, "an operator sees that nothing is published");

    let absent = create_fifo_queue(&system.sqs, &name, 5).await.expect("a queue");
    Subscriber::new(&system, &absent.url).receives_everything().await;
    let mut here = Subscriber::new(&system, &here);
    here.receives_everything().await;
    assert_eq!(here.repeats, 0, "sent only to the queue that does not have it");
    eventually("nothing lags", async || {
        (metric(&system, &relay, "outbox_unsent").await? == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn postgresql_restarted_and_killed_under_load_loses_no_fact() {
    let (_folder, mut postgres) = private_servers::postgres().await;
    let system = TestSystem::with_postgres(postgres.url()).await;
    let facts = facts_queue(&system).await;
    let load = Load::random(13, 400);
    let _worker = system.worker().await;
    let mut relay = relay(&system, "relay", &[&facts.url]).await;
    tokio::join!(system.send(&load.messages), private_servers::restart_and_kill(&mut postgres));
    system.processed(load.distinct).await;
    Subscriber::new(&system, &facts.url).receives_everything().await;
    relay.process().assert_runs().expect("the same relay all along");
}

#[tokio::test]
async fn what_redis_missed_is_right_when_it_is_back_though_nothing_expired() {
    let (_folder, redis) = private_servers::redis().await;
    let mut proxy = Proxy::start(redis.url()).await.expect("a proxy");
    let system = TestSystem::with_redis(proxy.url()).await;
    let facts = facts_queue(&system).await;
    let reader = system.api_environment(&system.database.reader_url);
    let reader = system.api("task-reader", reader.with("CACHE_TTL_SECONDS", "86400")).await;
    let _worker = system.start_worker("command-worker", &[("CACHE_TTL_SECONDS", "86400")]);
    let _relay = relay(&system, "relay", &[&facts.url]).await;
    let (token, subject) = (system.token("acme"), Uuid::now_v7().to_string());
    let url = format!("{}/v1/tasks/{subject}", reader.url);
    let title = async || {
        let request = system.client.get(&url).header("cache-control", "max-age=86400");
        let response = request.bearer_auth(&token).send().await.ok()?;
        let task: Value = response.json().await.ok()?;
        task["title"].as_str().map(str::to_owned)
    };
    let create = event("1", "create-task", &subject, &json!({"title": "before"}));
    system.send(&[(subject.clone(), create)]).await;
    system.processed(1).await;
    eventually("it is published", async || {
        (system.count("SELECT count(*) FROM outbox").await == 0).then_some(())
    })
    .await;
    assert_eq!(title().await.as_deref(), Some("before"));

    proxy.cut();
    let patch = json!({"patch": {"title": "meanwhile"}});
    let update = event("2", "update-task", &subject, &patch);
    system.send(&[(subject.clone(), update)]).await;
    eventually("it is published, and waits for Redis", async || {
        (system.count("SELECT count(*) FROM outbox WHERE sent").await == 1).then_some(())
    })
    .await;
    proxy.mend().await.expect("mended");
    eventually("the read is right", async || (title().await? == "meanwhile").then_some(())).await;
    eventually("nothing waits", async || {
        (system.count("SELECT count(*) FROM outbox").await == 0).then_some(())
    })
    .await;
    Subscriber::new(&system, &facts.url).receives_everything().await;
}

#[tokio::test]
async fn a_relay_that_drains_ends_well_and_leaves_its_shards_to_the_other() {
    let system = TestSystem::new().await;
    let facts = facts_queue(&system).await;
    let _worker = system.worker().await;
    let mut first = relay(&system, "first", &[&facts.url]).await;
    let _second = relay(&system, "second", &[&facts.url]).await;
    eventually("both hold shards", async || (holders(&system).await == (16, 2)).then_some(()))
        .await;
    let load = Load::random(14, 200);
    tokio::join!(system.send(&load.messages), async {
        first.process().signal(Signal::SIGTERM).expect("a signal");
        let status = first.process().wait().await.expect("an end");
        assert!(status.success(), "{status}");
        let relays = "SELECT count(*) FROM outbox_relays";
        assert_eq!(system.count(relays).await, 1, "who is gone has said so");
        let left = "SELECT count(*) FROM outbox_shards
            WHERE holder NOT IN (SELECT id FROM outbox_relays)";
        assert_eq!(system.count(left).await, 0, "and has left nothing behind");
    });
    system.processed(load.distinct).await;
    Subscriber::new(&system, &facts.url).receives_everything().await;
    assert_eq!(holders(&system).await, (16, 1));
}

#[tokio::test]
async fn a_scheduled_lambda_publishes_what_there_is_and_ends() {
    let system = TestSystem::new().await;
    let facts = facts_queue(&system).await;
    let load = Load::random(15, 100);
    let _worker = system.worker().await;
    system.send(&load.messages).await;
    system.processed(load.distinct).await;
    let api = LambdaApi::start().await;
    let _relay = system.start_lambda("outbox-relay", &environment(&system, &[&facts.url]), &api);
    for run in ["first", "second"] {
        let outcome = api.invoke(run, Duration::from_mins(1), json!({})).await;
        assert_eq!(outcome, Ok(json!(null)), "{run}");
        assert_eq!(system.count("SELECT count(*) FROM outbox").await, 0, "{run}");
    }
    assert_eq!(holders(&system).await, (0, 0), "it holds nothing between invocations");
    Subscriber::new(&system, &facts.url).receives_everything().await;
}

/// A metric of a function, by its name and labels.
async fn metric(system: &TestSystem, function: &Function, name: &str) -> Option<f64> {
    let metrics = system.client.get(function.health_url("metrics")).send().await.ok()?;
    let metrics = metrics.text().await.ok()?;
    let line = metrics.lines().find(|line| line.starts_with(name))?;
    line.rsplit_once(' ')?.1.parse().ok()
}
