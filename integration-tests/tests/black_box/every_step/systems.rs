//! What the scenarios have in common: commands, committed facts, functions behind wires.

use local_stack::{Environment, Function};
use secrecy::{ExposeSecret as _, SecretString};

use super::plan::Plan;
use super::recording_proxy::{Protocol, RecordingProxy};
use crate::relay::relay;
use crate::support::load::Load;
use crate::support::system::{TestSystem, binary, eventually};

/// What is lost in an answer comes again soon.
const SHORT_VISIBILITY: (&str, &str) = ("QUEUE_VISIBILITY_SECONDS", "3");

/// Commands on two tasks: one is refused, one comes twice.
pub(crate) fn commands() -> Load {
    let load = Load::on(2, 4, 16);
    assert!(load.messages.len() > usize::try_from(load.distinct).expect("a count"), "a repeat");
    load
}

/// A system in which the [`commands`] were applied and their facts are pending.
pub(crate) async fn committed() -> TestSystem {
    let system = TestSystem::new().await;
    let load = commands();
    system.send(&load.messages).await;
    let mut worker = system.start_worker("first-worker", &[]);
    system.processed(load.distinct).await;
    worker.kill().await.expect("killed");
    let refused = system.count("SELECT count(*) FROM inbox WHERE outcome ? 'refused'").await;
    assert!(refused > 0, "the load has a refusal");
    system
}

/// Has the pending facts published to these queues.
pub(crate) async fn publish(system: &TestSystem, queues: &[&str]) {
    let mut relay = relay(system, "first-relay", queues).await;
    no_fact_is_pending(system).await;
    relay.stop().await.expect("drained");
}

pub(crate) async fn no_fact_is_pending(system: &TestSystem) {
    eventually("the outbox is empty", async || {
        (system.count("SELECT count(*) FROM outbox").await == 0).then_some(())
    })
    .await;
}

/// A proxy to PostgreSQL, and the URL of `login` by way of it.
pub(crate) async fn to_postgresql(login: &SecretString, plan: &Plan) -> (RecordingProxy, String) {
    let proxy = RecordingProxy::to(login.expose_secret(), Protocol::Postgresql, plan).await;
    let url = proxy.by_way(login.expose_secret());
    (proxy, url)
}

/// A proxy to Redis, and its URL.
pub(crate) async fn to_redis(system: &TestSystem, plan: &Plan) -> (RecordingProxy, String) {
    let url = system.redis_url.expose_secret();
    let proxy = RecordingProxy::to(url, Protocol::Redis, plan).await;
    let url = proxy.by_way(url);
    (proxy, url)
}

/// A proxy to SQS, DynamoDB and S3, and their endpoint.
pub(crate) async fn to_aws(system: &TestSystem, plan: &Plan) -> (RecordingProxy, String) {
    let proxy = RecordingProxy::to(&system.queue.url, Protocol::Http, plan).await;
    let endpoint = proxy.endpoint();
    (proxy, endpoint)
}

/// A worker with these settings, which handles again soon what it did not settle.
pub(crate) fn worker(system: &TestSystem, settings: &[(&str, &str)]) -> Function {
    let settings: Vec<_> = settings.iter().copied().chain([SHORT_VISIBILITY]).collect();
    system.start_worker("command-worker", &settings)
}

/// A function that consumes `queue`, with these settings.
pub(crate) fn consumer(
    system: &TestSystem,
    name: &str,
    queue: &str,
    settings: &[(&str, &str)],
) -> Function {
    let environment = system
        .environment(&system.database.reader_url)
        .with("QUEUE_URL", queue)
        .with("QUEUE_WAIT_SECONDS", "1")
        .with("BACKOFF_BASE_MS", "100")
        .with(SHORT_VISIBILITY.0, SHORT_VISIBILITY.1);
    start(system, name, environment, settings)
}

/// A relay to `queue`, with these settings.
pub(crate) fn relay_to(system: &TestSystem, queue: &str, settings: &[(&str, &str)]) -> Function {
    let environment = system
        .environment(&system.database.relay_url)
        .with("FACT_QUEUE_URLS", queue)
        .with("RELAY_LEASE_SECONDS", "2");
    start(system, "outbox-relay", environment, settings)
}

fn start(
    system: &TestSystem,
    name: &str,
    environment: Environment,
    settings: &[(&str, &str)],
) -> Function {
    let add = |all: Environment, (name, value): &(&str, &str)| all.with(name, value);
    let environment = settings.iter().fold(environment, add);
    Function::start(&binary(name), name, &environment, &system.state).expect("a process")
}
