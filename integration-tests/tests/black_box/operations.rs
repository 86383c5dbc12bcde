//! Writes with `Prefer: respond-async`: accepted, applied from the queue, and polled.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use crate::support::private_servers;
use crate::support::system::{Api, TestSystem, eventually, with_body};

/// A write that the caller does not wait for.
async fn defer(
    system: &TestSystem,
    writer: &Api,
    method: Method,
    path: &str,
    key: &str,
    body: &Value,
) -> Response {
    let request = system
        .client
        .request(method, format!("{}{path}", writer.url))
        .bearer_auth(system.token("acme"))
        .header("Prefer", "respond-async")
        .header("Idempotency-Key", key);
    with_body(request, body).send().await.expect("an answer")
}

/// The address of the operation of a write that was accepted.
async fn accepted(response: Response) -> (String, Value) {
    assert_eq!(response.status(), 202);
    assert_eq!(response.headers()["preference-applied"], "respond-async");
    assert_eq!(response.headers()["retry-after"], "1");
    let location = response.headers()["operation-location"].to_str().expect("text").to_owned();
    (location, response.json().await.expect("an operation"))
}

async fn get(system: &TestSystem, reader: &Api, path: &str, tenant: &str) -> (u16, Value) {
    let request = system.client.get(format!("{}{path}", reader.url));
    let response = request.bearer_auth(system.token(tenant)).send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

/// The operation once it has this status.
async fn becomes(system: &TestSystem, reader: &Api, operation: &str, status: &str) -> Value {
    eventually(&format!("the operation is {status}"), async || {
        let (_, answer) = get(system, reader, operation, "acme").await;
        (answer["status"] == status).then_some(answer)
    })
    .await
}

#[tokio::test]
async fn an_accepted_write_is_applied_and_its_operation_succeeds() {
    let system = TestSystem::new().await;
    system.create_tables().await;
    let (writer, reader) = (system.writer().await, system.reader().await);
    let milk = json!({"title": "Buy milk"});
    let create = async |body: &Value| {
        defer(&system, &writer, Method::POST, "/v1/tasks", "order-17", body).await
    };
    let (operation, first) = accepted(create(&milk).await).await;
    let (_, answer) = get(&system, &reader, &operation, "acme").await;
    assert_eq!((&answer["status"], &answer["task"]), (&json!("accepted"), &first["task"]));
    assert_eq!(accepted(create(&milk).await).await, (operation.clone(), first.clone()));
    assert_eq!(create(&json!({"title": "Other"})).await.status(), 422);
    assert_eq!(get(&system, &reader, &operation, "other").await.0, 404);

    let _worker = system.worker().await;
    let answer = becomes(&system, &reader, &operation, "succeeded").await;
    assert_eq!(answer["version"], 1);
    let location = answer["location"].as_str().expect("a location");
    let (status, task) = get(&system, &reader, location, "acme").await;
    assert_eq!((status, &task["id"], &task["title"]), (200, &first["task"], &json!("Buy milk")));
    let again = accepted(create(&milk).await).await;
    assert_eq!(again.1["status"], "succeeded", "a repeat gets the outcome of the first");
    assert_eq!(system.count("SELECT count(*) FROM tasks").await, 1);
}

#[tokio::test]
async fn writes_of_two_callers_under_one_key_are_two_operations() {
    let system = TestSystem::new().await;
    system.create_tables().await;
    let (writer, reader) = (system.writer().await, system.reader().await);
    let create = async |caller: &str| {
        let request = system.client.post(format!("{}/v1/tasks", writer.url));
        let request = request.bearer_auth(system.token_of(caller, "acme"));
        let request = request.header("Prefer", "respond-async").header("Idempotency-Key", "one");
        let request = request.json(&json!({"title": "Buy milk"}));
        accepted(request.send().await.expect("an answer")).await
    };
    let (ann, bob) = (create("ann").await, create("bob").await);
    assert_ne!(ann.0, bob.0);
    assert_eq!((create("ann").await, create("bob").await), (ann.clone(), bob.clone()));

    let _worker = system.worker().await;
    for (operation, first) in [ann, bob] {
        let answer = becomes(&system, &reader, &operation, "succeeded").await;
        assert_eq!(answer["task"], first["task"]);
    }
    let actors = "SELECT count(DISTINCT actor) FROM outbox WHERE actor IN ('ann', 'bob')";
    assert_eq!(system.count(actors).await, 2);
    assert_eq!(system.count("SELECT count(*) FROM tasks").await, 2);
}

#[tokio::test]
async fn a_write_that_was_applied_at_once_is_found_by_its_repeat() {
    let system = TestSystem::new().await;
    system.create_tables().await;
    let (writer, reader) = (system.writer().await, system.reader().await);
    let _worker = system.worker().await;
    let milk = json!({"title": "Buy milk"});
    let request = system.client.post(format!("{}/v1/tasks", writer.url));
    let request = request.bearer_auth(system.token("acme")).header("Idempotency-Key", "order-17");
    let created = request.json(&milk).send().await.expect("an answer");
    let location = created.headers()["location"].to_str().expect("text").to_owned();

    let later = defer(&system, &writer, Method::POST, "/v1/tasks", "order-17", &milk).await;
    let (operation, _) = accepted(later).await;
    let answer = becomes(&system, &reader, &operation, "succeeded").await;
    assert_eq!(answer["location"], location, "the task that there is, not another");
    assert_eq!(system.count("SELECT count(*) FROM tasks").await, 1);
}

/// A create that was answered.
struct Sent {
    caller: &'static str,
    later: bool,
    /// Of the task, or of the operation.
    location: String,
}

/// A create of a caller under a key, at once or later.
async fn create(
    system: &TestSystem,
    writer: &Api,
    key: &str,
    (caller, later): (&'static str, bool),
) -> Sent {
    let mut request = system.client.post(format!("{}/v1/tasks", writer.url));
    if later {
        request = request.header("Prefer", "respond-async");
    }
    let request = request.bearer_auth(system.token_of(caller, "acme"));
    let request = request.header("Idempotency-Key", key).json(&json!({"title": "Buy milk"}));
    let (status, header) = if later { (202, "operation-location") } else { (201, "location") };
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), status, "{caller} {key}");
    let location = answer.headers()[header].to_str().expect("text").to_owned();
    Sent { caller, later, location }
}

#[tokio::test]
async fn a_key_of_a_caller_takes_effect_once_at_both_doors() {
    const ANN: [(&str, bool); 2] = [("ann", false), ("ann", true)];
    const BOB: [(&str, bool); 2] = [("bob", false), ("bob", true)];
    let system = TestSystem::new().await;
    system.create_tables().await;
    let (writer, reader) = (system.writer().await, system.reader().await);
    let by = async |key: &str, who| create(&system, &writer, key, who).await;
    let mut rounds = Vec::new();
    // Before anything of the queue is applied.
    for (key, steps) in [
        ("deferred-first", [ANN[1], BOB[1], BOB[0], ANN[0]]),
        ("others-deferred", [BOB[0], ANN[1], BOB[1], ANN[0]]),
        ("at-once-first", [ANN[0], BOB[0], BOB[1], ANN[1]]),
    ] {
        let mut answers = Vec::new();
        for who in steps {
            answers.push(by(key, who).await);
        }
        rounds.push((key.to_owned(), answers));
    }
    let _worker = system.worker().await;
    for round in 0..10 {
        let key = format!("race-{round}");
        let all =
            tokio::join!(by(&key, ANN[0]), by(&key, BOB[1]), by(&key, BOB[0]), by(&key, ANN[1]));
        rounds.push((key, vec![all.0, all.1, all.2, all.3]));
    }
    for (key, answers) in &rounds {
        let mut tasks = BTreeSet::new();
        for Sent { caller, later, location } in answers {
            let task = if *later {
                becomes(&system, &reader, location, "succeeded").await["location"].take()
            } else {
                json!(location)
            };
            tasks.insert((caller, task.to_string()));
        }
        assert_eq!(tasks.len(), 2, "{key}: {tasks:?}");
    }
    let expected = 2 * i64::try_from(rounds.len()).expect("few");
    assert_eq!(system.count("SELECT count(*) FROM tasks").await, expected);
}

#[tokio::test]
async fn a_refused_write_has_its_problem() {
    let system = TestSystem::new().await;
    system.create_tables().await;
    let (writer, reader) = (system.writer().await, system.reader().await);
    let _worker = system.worker().await;
    let path = format!("/v1/tasks/{}/complete", Uuid::now_v7());
    let answer = defer(&system, &writer, Method::POST, &path, "late", &Value::Null).await;
    let (operation, _) = accepted(answer).await;
    let answer = becomes(&system, &reader, &operation, "rejected").await;
    assert_eq!(answer["problem"]["type"], "urn:problem:not-found");
    assert_eq!(answer["problem"]["status"], 404);
    assert!(system.take_dead_letters().await.is_empty(), "a refusal is a result");
}

const SHORT_VISIBILITY: (&str, &str) = ("QUEUE_VISIBILITY_SECONDS", "2");
/// With that, seconds after which the last delivery of a worker that crashed is surely over.
const OVER_SECONDS: u64 = 8;

#[tokio::test]
async fn a_write_whose_worker_crashed_at_its_last_delivery_is_a_dead_letter() {
    let system = TestSystem::new().await;
    system.create_tables().await;
    let (writer, reader) = (system.writer().await, system.reader().await);
    let milk = json!({"title": "Buy milk"});
    let answer = defer(&system, &writer, Method::POST, "/v1/tasks", "lost", &milk).await;
    let (operation, _) = accepted(answer).await;
    system.use_up_deliveries().await;
    let mut lock = system.owner.begin().await.expect("a transaction");
    sqlx::query("LOCK TABLE inbox").execute(&mut *lock).await.expect("a lock");
    let mut worker = system.start_worker("command-worker", &[SHORT_VISIBILITY]);
    eventually("the worker waits for the lock", async || {
        let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        (system.count(waits).await > 0).then_some(())
    })
    .await;
    worker.kill().await.expect("killed");
    becomes(&system, &reader, &operation, "dead_lettered").await;
}

#[tokio::test]
async fn a_write_at_its_last_delivery_outlasts_an_outage() {
    let (_folder, mut postgres) = private_servers::postgres().await;
    let system = TestSystem::with_postgres(postgres.url()).await;
    system.create_tables().await;
    let (writer, reader) = (system.writer().await, system.reader().await);
    let milk = json!({"title": "Buy milk"});
    let answer = defer(&system, &writer, Method::POST, "/v1/tasks", "late", &milk).await;
    let (operation, _) = accepted(answer).await;

    postgres.stop().await.expect("a stopped PostgreSQL");
    system.use_up_deliveries().await;
    let _worker = system.start_worker("command-worker", &[SHORT_VISIBILITY]);
    for _ in 0..2 * OVER_SECONDS {
        let (_, answer) = get(&system, &reader, &operation, "acme").await;
        assert_eq!(answer["status"], "accepted", "the worker has the message");
        sleep(Duration::from_secs(1)).await;
    }
    postgres.restart().await.expect("a restarted PostgreSQL");
    becomes(&system, &reader, &operation, "succeeded").await;
    assert!(system.take_dead_letters().await.is_empty(), "the outage was not the message's fault");
}

#[tokio::test]
async fn a_write_whose_message_is_a_dead_letter_shows_it_until_it_is_replayed() {
    let system = TestSystem::new().await;
    system.create_tables().await;
    let refuse = "ALTER TABLE tasks ADD CONSTRAINT refused CHECK (title <> 'refused')";
    sqlx::query(refuse).execute(&system.owner).await.expect("a constraint");
    let (writer, reader) = (system.writer().await, system.reader().await);
    let refused = json!({"title": "refused"});
    let answer = defer(&system, &writer, Method::POST, "/v1/tasks", "doomed", &refused).await;
    let (operation, _) = accepted(answer).await;
    let _worker = system.worker().await;
    becomes(&system, &reader, &operation, "dead_lettered").await;
    let dead_letters = eventually("a dead letter", async || {
        Some(system.take_dead_letters().await).filter(|dead_letters| !dead_letters.is_empty())
    })
    .await;
    let attributes = dead_letters[0].message_attributes().expect("attributes");
    assert_eq!(attributes["DeadLetterReason"].string_value(), Some("data_refused"));

    let allow = "ALTER TABLE tasks DROP CONSTRAINT refused";
    sqlx::query(allow).execute(&system.owner).await.expect("no constraint");
    let body = dead_letters[0].body().expect("a body").to_owned();
    system.send(&[("replayed".to_owned(), body)]).await;
    let answer = becomes(&system, &reader, &operation, "succeeded").await;
    assert_eq!(answer["version"], 1);
}
