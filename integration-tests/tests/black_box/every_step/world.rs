//! What the scenarios have in common: commands, committed facts, functions behind wires.

use local_stack::{Environment, Function, ports};
use secrecy::{ExposeSecret as _, SecretString};

use super::plan::Plan;
use super::wire::{Protocol, Wire};
use crate::load::Load;
use crate::relay::relay;
use crate::world::{Api, PATIENCE, World, binary, eventually};

/// What is lost in an answer comes again soon.
const SHORT_VISIBILITY: (&str, &str) = ("QUEUE_VISIBILITY_SECONDS", "3");

/// Commands on two tasks: one is refused, one comes twice.
pub(crate) fn commands() -> Load {
    let load = Load::on(2, 4, 16);
    assert!(load.messages.len() > usize::try_from(load.distinct).expect("a count"), "a repeat");
    load
}

/// A world in which the [`commands`] were applied and their facts are pending.
pub(crate) async fn committed() -> World {
    let world = World::new().await;
    let load = commands();
    world.send(&load.messages).await;
    let mut worker = world.start_worker("first-worker", &[]);
    world.processed(load.distinct).await;
    worker.kill().await.expect("killed");
    let refused = world.count("SELECT count(*) FROM inbox WHERE outcome ? 'refused'").await;
    assert!(refused > 0, "the load has a refusal");
    world
}

/// Has the pending facts published to these queues.
pub(crate) async fn publish(world: &World, queues: &[&str]) {
    let mut relay = relay(world, "first-relay", queues).await;
    nothing_is_untold(world).await;
    relay.stop().await.expect("drained");
}

pub(crate) async fn nothing_is_untold(world: &World) {
    eventually("the outbox is empty", async || {
        (world.count("SELECT count(*) FROM outbox").await == 0).then_some(())
    })
    .await;
}

/// A wire to PostgreSQL, and the URL of `login` by way of it.
pub(crate) async fn to_postgresql(login: &SecretString, plan: &Plan) -> (Wire, String) {
    let wire = Wire::to(login.expose_secret(), Protocol::Postgresql, plan).await;
    let url = wire.by_way(login.expose_secret());
    (wire, url)
}

/// A wire to Redis, and its URL.
pub(crate) async fn to_redis(world: &World, plan: &Plan) -> (Wire, String) {
    let url = world.redis_url.expose_secret();
    let wire = Wire::to(url, Protocol::Redis, plan).await;
    let url = wire.by_way(url);
    (wire, url)
}

/// A wire to SQS, DynamoDB and S3, and their endpoint.
pub(crate) async fn to_aws(world: &World, plan: &Plan) -> (Wire, String) {
    let wire = Wire::to(&world.queue.url, Protocol::Http, plan).await;
    let endpoint = wire.endpoint();
    (wire, endpoint)
}

/// A worker with these settings, which handles again soon what it did not settle.
pub(crate) fn worker(world: &World, settings: &[(&str, &str)]) -> Function {
    let settings: Vec<_> = settings.iter().copied().chain([SHORT_VISIBILITY]).collect();
    world.start_worker("command-worker", &settings)
}

/// A function that consumes `queue`, with these settings.
pub(crate) fn consumer(
    world: &World,
    name: &str,
    queue: &str,
    settings: &[(&str, &str)],
) -> Function {
    let environment = world
        .environment(&world.database.reader_url)
        .with("QUEUE_URL", queue)
        .with("QUEUE_WAIT_SECONDS", "1")
        .with("BACKOFF_BASE_MS", "100")
        .with(SHORT_VISIBILITY.0, SHORT_VISIBILITY.1);
    start(world, name, environment, settings)
}

/// A relay to `queue`, with these settings.
pub(crate) fn relay_to(world: &World, queue: &str, settings: &[(&str, &str)]) -> Function {
    let environment = world
        .environment(&world.database.relay_url)
        .with("FACT_QUEUE_URLS", queue)
        .with("RELAY_LEASE_SECONDS", "2");
    start(world, "outbox-relay", environment, settings)
}

/// An HTTP function with these settings.
pub(crate) async fn api(
    world: &World,
    name: &str,
    login: &SecretString,
    settings: &[(&str, &str)],
) -> Api {
    let address = ports::loopback(ports::free(None).expect("a free port"));
    let environment = world.api_environment(login).with("HTTP_ADDR", address.to_string());
    let mut function = start(world, name, environment, settings);
    function.ready(PATIENCE).await.expect("a function that is ready");
    Api { function, url: format!("http://{address}") }
}

fn start(
    world: &World,
    name: &str,
    environment: Environment,
    settings: &[(&str, &str)],
) -> Function {
    let add = |all: Environment, (name, value): &(&str, &str)| all.with(name, value);
    let environment = settings.iter().fold(environment, add);
    Function::start(&binary(name), name, &environment, &world.state).expect("a process")
}
