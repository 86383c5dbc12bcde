//! What the relay does beside publishing goes on whatever becomes of that: the lag is measured, old
//! rows are deleted, cache writes are repeated, and readiness says that nothing is published.

use local_stack::Function;
use serde_json::Value;

use super::subscriber::Subscriber;
use super::{environment, facts_queue, metric};
use crate::outages::network::{Network, State};
use crate::support::system::{PATIENCE, TestSystem, binary, eventually};

/// A fact that waits since long ago, one that waits for Redis only, and a command that nobody
/// repeats any more.
const ROWS: &str = "
    INSERT INTO outbox (tenant, task_id, type, data, occurred_at)
    VALUES ('acme', '0192f1a0-7c3e-7b44-9a53-000000000001', 't', '{}',
        now() - interval '100 seconds');
    INSERT INTO outbox (tenant, task_id, type, data, occurred_at, sent)
    VALUES ('acme', '0192f1a0-7c3e-7b44-9a53-000000000002', 't', '{}', now(), true);
    INSERT INTO inbox (tenant, source, command_id, task_id, fingerprint, outcome, processed_at)
    VALUES ('acme', '/old', '1', gen_random_uuid(), '', '{}', now() - interval '40 days')";
const SENT: &str = "SELECT count(*) FROM outbox WHERE sent";
const INBOX: &str = "SELECT count(*) FROM inbox";
/// Only polls read it.
const BREAK: &str = "ALTER TABLE outbox RENAME COLUMN traceparent TO renamed";
const MEND: &str = "ALTER TABLE outbox RENAME COLUMN renamed TO traceparent";

async fn execute(system: &TestSystem, sql: &'static str) {
    sqlx::raw_sql(sql).execute(&system.owner).await.expect("done");
}

/// A relay that finds SQS at `endpoint`.
fn start(system: &TestSystem, queue: &str, endpoint: &str) -> Function {
    let environment = environment(system, &[queue]).with("AWS_ENDPOINT_URL", endpoint);
    Function::start(&binary("outbox-relay"), "relay", &environment, &system.state)
        .expect("a process")
}

async fn readiness(system: &TestSystem, relay: &Function) -> Option<(u16, Value)> {
    let answer = system.client.get(relay.health_url("readyz")).send().await.ok()?;
    Some((answer.status().as_u16(), answer.json().await.ok()?))
}

/// Waits until the lag is more than `least`.
async fn lag_over(system: &TestSystem, relay: &Function, least: f64) -> f64 {
    eventually("the lag grows", async || {
        metric(system, relay, "outbox_lag_seconds").await.filter(|lag| *lag > least)
    })
    .await
}

/// While nothing is published, all the rest is done.
async fn everything_else_goes_on(system: &TestSystem, relay: &Function) {
    let first = lag_over(system, relay, 100.0).await;
    eventually("old commands are deleted", async || (system.count(INBOX).await == 0).then_some(()))
        .await;
    eventually("what waited for Redis is repeated", async || {
        (system.count(SENT).await == 0).then_some(())
    })
    .await;
    eventually("it is not ready, for this reason", async || {
        let (status, body) = readiness(system, relay).await?;
        let checks = &body["checks"];
        let (publishing, postgresql) = (&checks["publishing"], &checks["postgresql"]);
        (status == 503 && publishing != "ok" && postgresql == "ok").then_some(())
    })
    .await;
    lag_over(system, relay, first).await;
    assert_eq!(metric(system, relay, "outbox_unsent").await, Some(1.0));
    assert_eq!(system.count("SELECT count(*) FROM outbox_blocked_tasks").await, 0);
}

/// Once publishing works again, the fact arrives.
async fn publishes(system: &TestSystem, relay: &mut Function, queue: &str) {
    Subscriber::new(system, queue).receives(1).await;
    relay.ready(PATIENCE).await.expect("a relay that is ready again");
    eventually("nothing lags", async || {
        (metric(system, relay, "outbox_lag_seconds").await? == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_statement_that_fails_stops_publishing_only() {
    let system = TestSystem::new().await;
    let facts = facts_queue(&system).await;
    execute(&system, ROWS).await;
    execute(&system, BREAK).await;
    let mut relay = start(&system, &facts.url, &system.aws.endpoint);
    everything_else_goes_on(&system, &relay).await;
    let failures = metric(&system, &relay, "relay_failures_total{work=\"publish\"}").await;
    assert!(failures.is_some_and(|failures| failures > 0.0), "{failures:?}");
    execute(&system, MEND).await;
    publishes(&system, &mut relay, &facts.url).await;
}

/// SQS refuses connections, or does not answer.
async fn sqs_becomes(state: State) {
    let system = TestSystem::new().await;
    let facts = facts_queue(&system).await;
    execute(&system, ROWS).await;
    let network = Network::to(system.aws.endpoint.trim_start_matches("http://")).await;
    network.becomes(state);
    let mut relay = start(&system, &facts.url, &format!("http://{}", network.address));
    everything_else_goes_on(&system, &relay).await;
    network.becomes(State::Passes);
    publishes(&system, &mut relay, &facts.url).await;
}

#[tokio::test]
async fn an_sqs_that_refuses_connections_stops_publishing_only() {
    sqs_becomes(State::Refuses).await;
}

#[tokio::test]
async fn an_sqs_that_freezes_stops_publishing_only() {
    sqs_becomes(State::Freezes).await;
}
