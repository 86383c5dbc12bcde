//! A queue that refuses single entries, or whole requests, at will: what the real ones do seldom.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sqs::config::{BehaviorVersion, Config, Credentials, Region, retry::RetryConfig};
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use super::*;

/// Refuses one entry in so many, and one request in so many.
struct Refusing {
    random: Mutex<StdRng>,
    entries: u32,
    requests: u32,
    /// What was taken, in order: task and fact.
    taken: Mutex<Vec<(String, i64)>>,
}

async fn send_message_batch(
    State(queue): State<Arc<Refusing>>,
    request: String,
) -> (StatusCode, Json<Value>) {
    let request: Value = serde_json::from_str(&request).unwrap();
    let mut random = queue.random.lock().unwrap();
    if random.random_ratio(1, queue.requests) {
        let error = json!({"__type": "com.amazonaws.sqs#RequestThrottled", "message": "slower"});
        return (StatusCode::BAD_REQUEST, Json(error));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in request["Entries"].as_array().unwrap() {
        let id = entry["Id"].as_str().unwrap();
        if random.random_ratio(1, queue.entries) {
            failed.push(json!({"Id": id, "Code": "InternalError", "SenderFault": false}));
            continue;
        }
        let group = entry["MessageGroupId"].as_str().unwrap().to_owned();
        queue.taken.lock().unwrap().push((group, id.parse().unwrap()));
        successful.push(json!({"Id": id, "MessageId": id, "MD5OfMessageBody": ""}));
    }
    (StatusCode::OK, Json(json!({"Successful": successful, "Failed": failed})))
}

async fn refusing(seed: u64, entries: u32, requests: u32) -> (Arc<Refusing>, Queue) {
    let random = Mutex::new(StdRng::seed_from_u64(seed));
    let taken = Mutex::default();
    let refusing = Arc::new(Refusing { random, entries, requests, taken });
    let router = Router::new().route("/", post(send_message_batch)).with_state(refusing.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(RetryConfig::disabled());
    let queue =
        Queue::new(Client::from_conf(config.build()), &format!("{endpoint}/1/facts.fifo"), 4);
    (refusing, queue)
}

/// Facts of some tasks in random turns.
fn facts(seed: u64, count: i64) -> Vec<Arc<Envelope>> {
    let random = &mut StdRng::seed_from_u64(seed);
    let fact = |seq| {
        let digit = random.random_range(0..12);
        let task = format!("0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e{digit:02}").parse().unwrap();
        Arc::new(Envelope { seq, task, body: "{}".to_owned() })
    };
    (0..count).map(fact).collect()
}

/// In order, with no fact left out and none twice, among those that were taken of each task.
fn assert_in_order(taken: &[(String, i64)], facts: &[Arc<Envelope>]) {
    let mut by_task: HashMap<_, Vec<i64>> = HashMap::new();
    for (task, seq) in taken {
        by_task.entry(task.clone()).or_default().push(*seq);
    }
    for (task, seqs) in by_task {
        let of_task = facts.iter().filter(|fact| fact.task.to_string() == task);
        let expected: Vec<_> = of_task.map(|fact| fact.seq).take(seqs.len()).collect();
        assert_eq!(seqs, expected, "of {task}");
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

#[tokio::test]
async fn whatever_is_refused_a_tasks_facts_are_taken_in_order_and_once() {
    for seed in 0..5 {
        let facts = facts(seed, 200);
        let (refusing, mut queue) = refusing(seed, 5, 10).await;
        for _ in 0..1_000 {
            if facts.iter().all(|fact| queue.has(fact.seq)) {
                break;
            }
            queue.send(&facts, soon()).await;
            assert_in_order(&refusing.taken.lock().unwrap(), &facts);
        }
        assert_eq!(refusing.taken.lock().unwrap().len(), facts.len(), "seed {seed}");
    }
}

#[tokio::test]
async fn a_refused_fact_holds_back_its_task_and_no_other() {
    let facts = facts(1, 200);
    let (_, mut queue) = refusing(1, 40, u32::MAX).await;
    let sending = queue.send(&facts, soon()).await;
    assert!(!sending.failed && !sending.refused.is_empty() && sending.refused.len() < 12);
    for fact in &facts {
        let complete = !sending.refused.contains(&fact.task);
        assert!(queue.has(fact.seq) || !complete, "{} is of a task without refusals", fact.seq);
    }
}

#[tokio::test]
async fn a_queue_that_does_not_answer_while_the_lease_lasts_has_failed() {
    let (refusing, mut queue) = refusing(1, u32::MAX, u32::MAX).await;
    let sending = queue.send(&facts(1, 20), Instant::now()).await;
    assert!(sending.failed);
    assert!(refusing.taken.lock().unwrap().is_empty(), "nothing is sent without a lease");
}
