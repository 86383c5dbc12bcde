//! An outage costs no message: real functions without a dependency for a while, with as many
//! deliveries as the queues are shipped with. Every kind of outage, side by side.

pub(crate) mod network;

use std::any::Any;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use futures::FutureExt as _;
use futures::future::join_all;
use local_stack::{Function, create_fifo_queue};
use network::{Network, State};
use runtime::sqs::MAX_RECEIVE_COUNT;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::claim_check::send_claimed;
use crate::relay::{facts_queue, relay};
use crate::support::load::Load;
use crate::support::system::{TestSystem, binary, event};

/// By when everything is applied, from the dependency's return. The minute that is promised is asserted
/// on the simulation's clock; here the machine may be busy.
const RETURN: Duration = Duration::from_mins(3);
/// Several of a handler's timeouts.
const TIMEOUT: (&str, &str) = ("HANDLER_TIMEOUT_SECONDS", "5");

#[tokio::test]
async fn a_short_outage_of_any_kind_costs_no_message() {
    outages(Duration::from_secs(15)).await;
}

#[tokio::test]
#[ignore = "it takes two minutes: make test-long"]
async fn a_minute_s_outage_of_any_kind_costs_no_message() {
    outages(Duration::from_mins(1)).await;
}

async fn outages(duration: Duration) {
    let all = [
        postgresql(Fault::Network(State::Refuses), duration).boxed_local(),
        postgresql(Fault::Network(State::Freezes), duration).boxed_local(),
        postgresql(Fault::ReadOnly, duration).boxed_local(),
        postgresql(Fault::TooManyConnections, duration).boxed_local(),
        dynamodb(State::Refuses, duration).boxed_local(),
        dynamodb(State::Freezes, duration).boxed_local(),
        claim_checks(State::Refuses, duration).boxed_local(),
        claim_checks(State::Freezes, duration).boxed_local(),
    ];
    // Dropped together, in the end: to stop a process or to drop a database blocks the thread on which
    // the networks of the others pass their bytes, which would be one more outage.
    drop(join_all(all).await);
}

/// What an outage happened to.
type Place = Box<dyn Any>;

/// How PostgreSQL fails.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Network(State),
    ReadOnly,
    TooManyConnections,
}

/// A worker's database fails while commands come in, and before.
async fn postgresql(fault: Fault, duration: Duration) -> Place {
    let (system, load) = (shipped().await, Load::random(5, 60));
    let url = system.database.writer_url.expose_secret();
    let (before, server) = url.rsplit_once('@').expect("a login");
    let (server, database) = server.split_once('/').expect("a database");
    let network = Network::to(server).await;
    let url = format!("{before}@{}/{database}", network.address);
    let worker = worker(&system, &[("DATABASE_URL", &url)]);
    let (early, late) = load.messages.split_at(10);
    system.send(early).await;
    system.processed_some().await;

    fail(&system, &network, fault).await;
    system.send(late).await;
    sleep(duration).await;
    mend(&system, &network, fault).await;
    within(&format!("{fault:?}"), system.processed(load.distinct)).await;
    load.assert_is_what_is_left(&system).await;
    nothing_is_dead(&system, &format!("{fault:?}")).await;
    Box::new((worker, network, system))
}

async fn fail(system: &TestSystem, network: &Network, fault: Fault) {
    match fault {
        Fault::Network(state) => network.becomes(state),
        Fault::ReadOnly => alter(system, "SET default_transaction_read_only = on").await,
        Fault::TooManyConnections => alter(system, "CONNECTION LIMIT 0").await,
    }
}

async fn mend(system: &TestSystem, network: &Network, fault: Fault) {
    match fault {
        Fault::Network(_) => network.becomes(State::Passes),
        Fault::ReadOnly => alter(system, "RESET default_transaction_read_only").await,
        Fault::TooManyConnections => alter(system, "CONNECTION LIMIT -1").await,
    }
}

/// Changes the system's database for every connection but the owner's, which must be open before. In
/// two transactions, or a new connection could come before the change.
async fn alter(system: &TestSystem, change: &str) {
    let alter = format!(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I {change}', current_database()); END $$"
    );
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND usename <> current_user";
    for sql in [alter.as_str(), terminate] {
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&system.owner).await;
        done.expect("an altered database");
    }
}

/// DynamoDB fails the projector of facts.
async fn dynamodb(state: State, duration: Duration) -> Place {
    let (system, load) = (shipped().await, Load::random(7, 40));
    system.create_tables().await;
    let facts = facts_queue(&system).await;
    let network = to_aws(&system).await;
    let endpoint = format!("http://{}", network.address);
    let environment = system
        .environment(&system.database.reader_url)
        .with("QUEUE_URL", &facts.url)
        .with("QUEUE_WAIT_SECONDS", "1")
        .with(TIMEOUT.0, TIMEOUT.1)
        .with("AWS_ENDPOINT_URL_DYNAMODB", &endpoint);
    let name = "history-projector";
    let projector = Function::start(&binary(name), name, &environment, &system.state);

    network.becomes(state);
    let (worker, relay) = (system.worker().await, relay(&system, "relay", &[&facts.url]).await);
    system.send(&load.messages).await;
    system.processed(load.distinct).await;
    sleep(duration).await;
    network.becomes(State::Passes);
    within(&format!("DynamoDB {state:?}"), empty(&system, &facts.url)).await;
    assert_eq!(count(&system, &facts.dead_letter_url).await, 0, "DynamoDB {state:?}");
    // The projector checks what it needs.
    system.logged(name, |line| line["dependency"] == "dynamodb").await;
    Box::new((projector, worker, relay, network, system))
}

/// S3 fails a worker that needs it for data that are too large for the queue.
async fn claim_checks(state: State, duration: Duration) -> Place {
    let system = shipped().await;
    let network = to_aws(&system).await;
    let endpoint = format!("http://{}", network.address);
    network.becomes(state);
    let subject = Uuid::now_v7().to_string();
    let bucket = send_claimed(&system, &subject).await;
    let patch = json!({"patch": {"title": "Renamed"}});
    system.send(&[(subject.clone(), event("2", "update-task", &subject, &patch))]).await;
    let settings = [("CLAIM_CHECK_BUCKET", bucket.as_str()), ("AWS_ENDPOINT_URL_S3", &endpoint)];
    let worker = worker(&system, &settings);
    sleep(duration).await;
    network.becomes(State::Passes);
    within(&format!("S3 {state:?}"), system.processed(2)).await;
    let renamed = "SELECT count(*) FROM tasks WHERE title = 'Renamed' AND version = 2";
    assert_eq!(system.count(renamed).await, 1, "the update came after the create");
    nothing_is_dead(&system, &format!("S3 {state:?}")).await;
    Box::new((worker, network, system))
}

/// A system whose queue allows as many deliveries as the shipped ones.
async fn shipped() -> TestSystem {
    let mut system = TestSystem::new().await;
    let name = format!("shipped-{}", Uuid::new_v4().simple());
    system.queue = create_fifo_queue(&system.sqs, &name, MAX_RECEIVE_COUNT).await.expect("a queue");
    system
}

fn worker(system: &TestSystem, settings: &[(&str, &str)]) -> Function {
    let settings: Vec<_> = settings.iter().copied().chain([TIMEOUT]).collect();
    system.start_worker("command-worker", &settings)
}

async fn to_aws(system: &TestSystem) -> Network {
    let (_, server) = system.queue.url.split_once("://").expect("a URL");
    Network::to(server.split('/').next().expect("a server")).await
}

async fn within(what: &str, done: impl Future<Output = ()>) {
    assert!(timeout(RETURN, done).await.is_ok(), "{what}: not within {RETURN:?} of the return");
}

async fn nothing_is_dead(system: &TestSystem, what: &str) {
    assert_eq!(count(system, &system.queue.dead_letter_url).await, 0, "{what}: dead letters");
}

async fn empty(system: &TestSystem, queue: &str) {
    let end = Instant::now() + RETURN;
    while count(system, queue).await > 0 && Instant::now() < end {
        sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(count(system, queue).await, 0, "messages are left");
}

async fn count(system: &TestSystem, queue: &str) -> u64 {
    use QueueAttributeName::{
        ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as Hidden,
    };
    let request = system.sqs.get_queue_attributes().queue_url(queue);
    let answer = request.attribute_names(Visible).attribute_names(Hidden).send().await;
    let counts = answer.expect("an answer").attributes.expect("attributes");
    counts.values().map(|count| count.parse::<u64>().expect("a count")).sum()
}
