//! Facts that a queue refuses: they hold back their own task, are parked, and an operator decides.

use std::process::ExitStatus;

use local_stack::Function;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::strict::Strict;
use super::subscriber::Subscriber;
use super::{environment, facts_queue, metric, standard_queue};
use crate::dead_letters::Tool;
use crate::support::load::Load;
use crate::support::system::{PATIENCE, TestSystem, binary, eventually};

/// What a queue refuses.
const REFUSED_TEXT: &str = "not in this queue";
/// Facts of the tenant `noisy`, each of a task of its own, with that text.
const REFUSED: &str = "INSERT INTO outbox (tenant, task_id, type, data, occurred_at)
    SELECT 'noisy', ('0192f1a0-7c3e-7b44-9a53-' || lpad(to_hex(n), 12, '0'))::uuid,
        'dev.task-app.task.created.v1', jsonb_build_object('title', 'not in this queue'), now()
    FROM generate_series(1, 2800) AS n";
/// Facts of the tenant `acme`, behind them.
const GOOD: &str = "INSERT INTO outbox (tenant, task_id, type, data, occurred_at)
    SELECT 'acme', ('0192f1a0-7c3e-7b44-9a54-' || lpad(to_hex(n), 12, '0'))::uuid,
        'dev.task-app.task.created.v1', jsonb_build_object('version', 1), now()
    FROM generate_series(1, 100) AS n";
const PARKED: &str = "SELECT count(*) FROM outbox_blocked_tasks WHERE parked_at IS NOT NULL";
const OUTBOX: &str = "SELECT count(*) FROM outbox";

/// A relay behind AWS's rule.
async fn relay(system: &TestSystem, strict: &Strict, queues: &[&str], attempts: &str) -> Function {
    let environment = environment(system, queues)
        .with("AWS_ENDPOINT_URL", &strict.url)
        .with("RELAY_BATCH_SIZE", "500")
        .with("RELAY_LEASE_SECONDS", "30")
        .with("RELAY_MAX_ATTEMPTS", attempts);
    let binary = binary("outbox-relay");
    let mut relay =
        Function::start(&binary, "relay", &environment, &system.state).expect("a process");
    relay.ready(PATIENCE).await.expect("a relay that is ready");
    relay
}

async fn execute(system: &TestSystem, sql: &'static str) {
    sqlx::raw_sql(sql).execute(&system.owner).await.expect("done");
}

/// Runs the operator's command, and returns what it printed.
async fn facts_command(system: &TestSystem, arguments: &[&str]) -> (ExitStatus, String) {
    let mut tool = Tool::new(&[&["facts"], arguments].concat());
    tool.env("DATABASE_URL", system.database.operator_url.expose_secret());
    let output = tool.output().await.expect("a run");
    (output.status, String::from_utf8(output.stdout).expect("text"))
}

#[tokio::test]
async fn thousands_of_refused_facts_of_one_tenant_delay_no_fact_of_another() {
    let system = TestSystem::new().await;
    let strict = Strict::start(system.sqs.clone()).await;
    let facts = facts_queue(&system).await;
    strict.refuse(&facts.url, REFUSED_TEXT);
    execute(&system, REFUSED).await;
    execute(&system, GOOD).await;
    let relay = relay(&system, &strict, &[&facts.url], "1000").await;
    let mut subscriber = Subscriber::new(&system, &facts.url);
    subscriber.receives(100).await;
    assert!(subscriber.facts().all(|fact| fact["tenant"] == "acme"));
    assert_eq!(system.count(PARKED).await, 0, "they did not wait for the others to be parked");

    eventually("the others are tried again, and still count", async || {
        let blocked = metric(&system, &relay, "outbox_blocked_tasks").await?;
        let lag = metric(&system, &relay, "outbox_lag_seconds").await?;
        let unsent = metric(&system, &relay, "outbox_unsent").await?;
        (blocked >= 2_800.0 && unsent >= 2_800.0 && lag > 0.0).then_some(())
    })
    .await;
    execute(
        &system,
        "INSERT INTO outbox (tenant, task_id, type, data, occurred_at)
        VALUES ('acme', '0192f1a0-7c3e-7b44-9a54-ffffffffffff', 't', '{}', now())",
    )
    .await;
    eventually("one more comes through", async || {
        subscriber.receive().await;
        (subscriber.facts().count() == 101).then_some(())
    })
    .await;
}

#[tokio::test]
async fn refused_facts_are_parked_listed_and_skipped() {
    let system = TestSystem::new().await;
    let strict = Strict::start(system.sqs.clone()).await;
    let facts = facts_queue(&system).await;
    strict.refuse(&facts.url, REFUSED_TEXT);
    execute(&system, REFUSED).await;
    execute(
        &system,
        "INSERT INTO outbox (tenant, task_id, type, data, occurred_at)
         VALUES ('noisy', '0192f1a0-7c3e-7b44-9a53-000000000001', 't', '{}', now()),
                ('NOT A TENANT', gen_random_uuid(), 't', '{}', 'infinity')",
    )
    .await;
    let relay = relay(&system, &strict, &[&facts.url], "1").await;
    eventually("all are parked", async || {
        (metric(&system, &relay, "outbox_parked_facts").await? >= 2_801.0).then_some(())
    })
    .await;
    let noisy = "facts_parked_total{queue=";
    assert!(metric(&system, &relay, noisy).await.is_some(), "an alert can be made of it");

    let (status, listed) = facts_command(&system, &["ls", "--json", "--limit", "5000"]).await;
    assert!(status.success(), "{status}");
    let listed: Vec<Value> =
        listed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let reasons = |reason: &str| listed.iter().filter(|fact| fact["reason"] == reason).count();
    assert_eq!((reasons("InvalidMessageContents"), reasons("Unreadable")), (2_800, 1));

    let skip = ["skip", "--tenant", "noisy", "--by", "ada", "--why", "a test"];
    let (status, _) = facts_command(&system, &skip).await;
    assert_eq!(status.code(), Some(2), "without a confirmation nothing is skipped");
    assert_eq!(system.count(PARKED).await, 2_801);
    let (status, said) = facts_command(&system, &[&skip[..], &["--yes", "--json"]].concat()).await;
    assert!(status.success() && said.contains("2800"), "{status}: {said}");
    Subscriber::new(&system, &facts.url).receives(1).await;
    let unreadable = listed.iter().find(|fact| fact["reason"] == "Unreadable").expect("one");
    let id = unreadable["fact"].as_str().expect("an id");
    let (status, _) = facts_command(&system, &["show", id, "--data", "--json"]).await;
    assert!(status.success());
    let (status, _) =
        facts_command(&system, &["skip", id, "--by", "ada", "--why", "a test", "--yes"]).await;
    assert!(status.success());
    eventually("nothing is left", async || (system.count(OUTBOX).await == 0).then_some(())).await;
    assert_eq!(system.count("SELECT count(*) FROM outbox_skipped_facts").await, 2_801);
    let (status, _) = facts_command(&system, &["retry", "--every", "--json"]).await;
    assert_eq!(status.code(), Some(1), "nothing is parked any more");
}

#[tokio::test]
async fn what_one_queue_refuses_the_other_gets_once_and_in_order_after_a_retry() {
    let system = TestSystem::new().await;
    let strict = Strict::start(system.sqs.clone()).await;
    // A FIFO queue would hide what is sent twice.
    let (ours, theirs) = (standard_queue(&system).await, facts_queue(&system).await);
    let load = Load::random(16, 200);
    let _worker = system.worker().await;
    system.send(&load.messages).await;
    system.processed(load.distinct).await;
    strict.refuse(&theirs.url, "\"version\": 2");
    let relay = relay(&system, &strict, &[&ours, &theirs.url], "3").await;
    let parked = eventually("some are parked, and the others published", async || {
        let waiting = "SELECT count(*) FROM outbox WHERE NOT blocked";
        let tried = "SELECT count(*) FROM outbox_blocked_tasks WHERE parked_at IS NULL";
        let done = system.count(waiting).await == 0 && system.count(tried).await == 0;
        let parked = system.count(PARKED).await;
        (done && parked > 0).then_some(parked)
    })
    .await;
    assert_eq!(metric(&system, &relay, "outbox_lag_seconds").await.map(f64::is_nan), Some(false));

    strict.mend();
    let (status, said) = facts_command(&system, &["retry", "--every"]).await;
    assert!(status.success() && said.contains(&parked.to_string()), "{status}: {said}");
    Subscriber::new(&system, &theirs.url).receives_everything().await;
    let mut ours = Subscriber::new(&system, &ours);
    ours.receives_everything().await;
    // A slow machine may have a request sent again: that is no repeat for each refusal.
    let repeats = i64::try_from(ours.repeats).expect("a count");
    assert!(repeats < parked, "the other queue refused {parked}, this one got {repeats} again");
}
