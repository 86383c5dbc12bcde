//! A queue that refuses single entries, or whole requests, at will: what the real ones do seldom.
//! It refuses what SQS refuses for its contents, too.

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
    /// With which code it rejects a whole request for the contents of an entry, if it does.
    whole: Option<&'static str>,
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
    let is_refused =
        |entry: &Value| entry["MessageBody"].as_str().unwrap().contains(['\u{fffe}', '\u{ffff}']);
    let entries = request["Entries"].as_array().unwrap();
    if let Some(code) = queue.whole.filter(|_| entries.iter().any(is_refused)) {
        let error = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": "no"});
        return (StatusCode::BAD_REQUEST, Json(error));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = entry["Id"].as_str().unwrap();
        if is_refused(entry) {
            failed.push(json!({"Id": id, "Code": "InvalidMessageContents", "SenderFault": true}));
            continue;
        }
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
    rejecting(seed, entries, requests, None).await
}

async fn rejecting(
    seed: u64,
    entries: u32,
    requests: u32,
    whole: Option<&'static str>,
) -> (Arc<Refusing>, Queue) {
    let random = Mutex::new(StdRng::seed_from_u64(seed));
    let taken = Mutex::default();
    let refusing = Arc::new(Refusing { random, entries, requests, whole, taken });
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

/// Messages of some tasks in random order.
fn messages(seed: u64, count: i64) -> Vec<Arc<Message>> {
    let random = &mut StdRng::seed_from_u64(seed);
    (0..count).map(|seq| message(seq, random.random_range(0..12), "{}")).collect()
}

fn message(seq: i64, task: u128, body: &str) -> Arc<Message> {
    Arc::new(Message::of_test(seq, task, body))
}

/// In order, with no fact left out and none twice, among those that were taken of each task.
fn assert_in_order(taken: &[(String, i64)], messages: &[Arc<Message>]) {
    let mut by_task: HashMap<_, Vec<i64>> = HashMap::new();
    for (task, seq) in taken {
        by_task.entry(task.clone()).or_default().push(*seq);
    }
    for (task, seqs) in by_task {
        let facts = messages.iter().map(|message| &message.fact);
        let of_task = facts.filter(|fact| fact.task.task.to_string() == task);
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
        let messages = messages(seed, 200);
        let (refusing, mut queue) = refusing(seed, 5, 10).await;
        for _ in 0..1_000 {
            if messages.iter().all(|message| queue.has(&message.fact)) {
                break;
            }
            queue.send(&messages, soon()).await;
            assert_in_order(&refusing.taken.lock().unwrap(), &messages);
        }
        assert_eq!(refusing.taken.lock().unwrap().len(), messages.len(), "seed {seed}");
    }
}

#[tokio::test]
async fn a_refused_fact_holds_back_its_task_and_no_other() {
    let messages = messages(1, 200);
    let (_, mut queue) = refusing(1, 40, u32::MAX).await;
    let sending = queue.send(&messages, soon()).await;
    assert!(!sending.unavailable);
    assert!((1..12).contains(&sending.blocked.len()), "{:?}", sending.blocked);
    assert!(sending.failures.iter().all(|failure| failure.fault == Fault::NotTaken));
    for fact in messages.iter().map(|message| &message.fact) {
        let complete = !sending.blocked.contains(&fact.task);
        assert!(queue.has(fact) || !complete, "{} is of a task without refusals", fact.seq);
    }
}

#[tokio::test]
async fn a_queue_that_does_not_answer_while_the_lease_lasts_is_unavailable() {
    let (refusing, mut queue) = refusing(1, u32::MAX, u32::MAX).await;
    let sending = queue.send(&messages(1, 20), Instant::now()).await;
    assert!(sending.unavailable);
    assert!(refusing.taken.lock().unwrap().is_empty(), "nothing is sent without a lease");
}

#[tokio::test]
async fn a_fact_that_is_refused_for_its_contents_is_at_fault_however_the_queue_says_so() {
    for whole in [None, Some("InvalidMessageContents"), Some("BatchRequestTooLong")] {
        let (refusing, mut queue) = rejecting(1, u32::MAX, u32::MAX, whole).await;
        let messages = (0..10_u32)
            .map(|seq| message(seq.into(), seq.into(), if seq == 4 { "\u{ffff}" } else { "{}" }));
        let messages: Vec<_> = messages.collect();
        let sending = queue.send(&messages, soon()).await;
        assert!(!sending.unavailable, "{whole:?}");
        let failures: Vec<_> = sending.failures.iter().map(|one| (one.seq, one.fault)).collect();
        assert_eq!(failures, [(4, Fault::Refused)], "{whole:?}");
        assert_eq!(sending.failures[0].reason, whole.unwrap_or("InvalidMessageContents"));
        assert_eq!(refusing.taken.lock().unwrap().len(), 9, "{whole:?}");
    }
}

#[tokio::test]
async fn a_whole_request_that_is_rejected_for_an_unknown_reason_parks_nothing() {
    let (_, mut queue) = rejecting(1, u32::MAX, u32::MAX, Some("SomethingNew")).await;
    let sending = queue.send(&[message(1, 1, "{}"), message(2, 2, "\u{fffe}")], soon()).await;
    let failures: Vec<_> = sending.failures.iter().map(|one| (one.seq, one.fault)).collect();
    assert_eq!(failures, [(2, Fault::NotTaken)]);
    assert!(!sending.unavailable && sending.taken == [1]);
}

#[tokio::test]
async fn a_queue_that_rejects_everybody_is_unavailable_and_blames_no_fact() {
    for code in ["AccessDenied", "QueueDoesNotExist", "RequestThrottled", "KmsDisabled"] {
        let (_, mut queue) = rejecting(1, u32::MAX, u32::MAX, Some(code)).await;
        let sending = queue.send(&[message(1, 1, "\u{ffff}"), message(2, 2, "{}")], soon()).await;
        assert!(sending.unavailable && sending.failures.is_empty(), "{code}");
    }
}

#[tokio::test]
async fn a_queue_that_has_a_fact_is_not_sent_it_again() {
    let (refusing, mut queue) = refusing(1, u32::MAX, u32::MAX).await;
    let mut known = Message::of_test(1, 1, "{}");
    known.fact.published_to.push(queue.url().to_owned());
    let known = Arc::new(known);
    queue.send(&[Arc::clone(&known), message(2, 1, "{}")], soon()).await;
    assert!(queue.has(&known.fact));
    assert_eq!(refusing.taken.lock().unwrap().len(), 1);
}
