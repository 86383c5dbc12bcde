//! What is received and handled while a dependency is unavailable.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use anyhow::ensure;
use tokio::time::{Instant, sleep};

use super::{Handler, Running, acks};
use crate::{
    health::Dependencies,
    sqs::{Config, MAX_RECEIVE_COUNT, Retry, Verdict, simulation::SimulatedQueue},
};

/// How long a batch takes.
const HANDLING: Duration = Duration::from_millis(100);

/// A consumer whose dependency is unavailable until it is not, the batches that were handled, and how
/// often the dependency was checked.
struct Outage {
    running: Running,
    is_back: Arc<AtomicBool>,
    batches: Arc<Mutex<Vec<Vec<String>>>>,
    checks: Arc<AtomicUsize>,
}

impl Outage {
    fn start(queue: &SimulatedQueue, config: &Config) -> Self {
        let (is_back, batches) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (works, seen) = (Arc::clone(&is_back), Arc::<Mutex<Vec<_>>>::clone(&batches));
        let handler = Handler(Box::new(move |batch: Vec<String>| {
            seen.lock().unwrap().push(batch.clone());
            let retry = Retry::unavailable("database_unavailable", "");
            let works = works.load(SeqCst);
            let verdicts = if works { acks(&batch) } else { vec![retry.into(); batch.len()] };
            Box::pin(async move {
                sleep(HANDLING).await;
                verdicts
            })
        }));
        let (dependencies, checks) = (Dependencies::default(), Arc::new(AtomicUsize::new(0)));
        let (works, count) = (Arc::clone(&is_back), Arc::clone(&checks));
        dependencies.declare("database", false, move || {
            count.fetch_add(1, SeqCst);
            let works = works.load(SeqCst);
            async move {
                ensure!(works, "connection refused");
                anyhow::Ok(())
            }
        });
        let running = Running::start_needing(queue, config, handler, dependencies);
        Self { running, is_back, batches, checks }
    }

    fn batches(&self) -> usize {
        self.batches.lock().unwrap().len()
    }
}

fn shipped(config: &Config) -> SimulatedQueue {
    SimulatedQueue::new(config, false, MAX_RECEIVE_COUNT.into())
}

fn full_queue(config: &Config) -> SimulatedQueue {
    let queue = shipped(config);
    for number in 0..200 {
        queue.send("", &number.to_string());
    }
    queue
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_probed_by_checks_and_costs_what_is_in_hand_one_delivery() {
    let config = Config { queue_batch_size: 10, queue_concurrency: 1, ..Config::for_test() };
    let queue = full_queue(&config);
    let outage = Outage::start(&queue, &config);
    sleep(Duration::from_mins(30)).await;
    let counts = queue.receive_counts();
    assert!(counts.iter().all(|count| *count <= 1), "{counts:?}");
    assert!(counts.iter().sum::<u32>() <= 20, "what is handled, and what was received beside it");
    assert_eq!(outage.batches(), 1, "no message probes");
    let checks = outage.checks.load(SeqCst);
    assert!((180..400).contains(&checks), "{checks} checks in half an hour");
    outage.is_back.store(true, SeqCst);
    let begun = Instant::now();
    outage.running.until(SimulatedQueue::is_empty).await;
    assert!(begun.elapsed() < Duration::from_mins(1) && queue.dead_letters().is_empty());
    outage.running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_costs_no_delivery_and_work_goes_on_within_seconds() {
    let config = Config::for_test();
    let queue = shipped(&config);
    let outage = Outage::start(&queue, &config);
    queue.send("", "message");
    sleep(Duration::from_mins(2)).await;
    assert_eq!((queue.invisible(), queue.receive_counts()), (1, vec![1]));
    outage.is_back.store(true, SeqCst);
    let begun = Instant::now();
    outage.running.until(SimulatedQueue::is_empty).await;
    assert!(begun.elapsed() < Duration::from_secs(15));
    outage.running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn when_the_checks_pass_one_batch_is_tried_before_any_other() {
    let config = Config { queue_batch_size: 10, ..Config::for_test() };
    let queue = full_queue(&config);
    let outage = Outage::start(&queue, &config);
    sleep(Duration::from_mins(10)).await;
    let before = outage.batches();
    outage.is_back.store(true, SeqCst);
    while outage.batches() == before {
        sleep(Duration::from_millis(1)).await;
    }
    sleep(HANDLING / 2).await;
    assert_eq!(outage.batches(), before + 1, "the others wait for its end");
    outage.running.until(SimulatedQueue::is_empty).await;
    outage.running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_a_dependency() {
    let config = Config::for_test();
    let queue = full_queue(&config);
    let outage = Outage::start(&queue, &config);
    sleep(Duration::from_mins(1)).await;
    let stopped = tokio::time::timeout(Duration::from_secs(2), outage.running.stop());
    stopped.await.expect("it should stop at once");
    assert!(queue.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn on_its_last_delivery_a_message_is_kept_for_as_long_as_the_checks_fail() {
    let config = Config::for_test();
    let queue = SimulatedQueue::new(&config, false, 1);
    let outage = Outage::start(&queue, &config);
    queue.send("", "message");
    sleep(Duration::from_hours(5)).await;
    assert_eq!(outage.batches(), 1);
    outage.is_back.store(true, SeqCst);
    outage.running.until(SimulatedQueue::is_empty).await;
    assert!(queue.dead_letters().is_empty());
    outage.running.stop().await;
}

/// A consumer whose dependency works, and which is poisoned by the message `poison`.
fn start(queue: &SimulatedQueue, config: &Config, poisoned: fn() -> Option<Verdict>) -> Running {
    let handler = Handler(Box::new(move |batch: Vec<String>| {
        Box::pin(async move {
            let mut verdicts = Vec::new();
            for body in batch {
                let verdict = if body == "poison" { poisoned() } else { Some(Verdict::Ack) };
                match verdict {
                    Some(verdict) => verdicts.push(verdict),
                    None => pending().await,
                }
            }
            verdicts
        })
    }));
    let dependencies = Dependencies::default();
    dependencies.declare("database", false, || async { anyhow::Ok(()) });
    Running::start_needing(queue, config, handler, dependencies)
}

#[tokio::test(start_paused = true)]
async fn a_message_that_always_hangs_keeps_nothing_from_being_received_while_the_checks_pass() {
    let config = Config { queue_batch_size: 1, ..Config::for_test() };
    let queue = shipped(&config);
    queue.send("", "poison");
    let running = start(&queue, &config, || None);
    sleep(config.handler_timeout() + Duration::from_secs(1)).await;
    queue.send("", "good");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(queue.receive_counts().len(), 1, "the good one is done");
    running.until(|queue| queue.dead_letters().len() == 1).await;
    assert_eq!(queue.dead_letters(), [("poison".to_owned(), "handler_timed_out".to_owned())]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_always_says_unavailable_delays_others_by_seconds_only() {
    let config = Config { queue_batch_size: 1, ..Config::for_test() };
    let queue = shipped(&config);
    queue.send("", "poison");
    let running = start(&queue, &config, || Some(Retry::unavailable("mistaken", "").into()));
    for _ in 0..20 {
        sleep(Duration::from_secs(29)).await;
        queue.send("", "good");
        sleep(Duration::from_secs(25)).await;
        assert!(queue.receive_counts().len() <= 1, "the good one is done");
    }
    running.until(|queue| queue.dead_letters().len() == 1).await;
    assert_eq!(queue.dead_letters(), [("poison".to_owned(), "mistaken".to_owned())]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_unavailable_message_among_others_does_not_open_the_breaker() {
    let config = Config::for_test();
    let queue = shipped(&config);
    for body in ["good", "poison", "good"] {
        queue.send("", body);
    }
    let running = start(&queue, &config, || Some(Retry::unavailable("throttled", "").into()));
    // Before a breaker that opened would be half-open.
    sleep(Duration::from_millis(200)).await;
    queue.send("", "good");
    sleep(Duration::from_millis(200)).await;
    assert_eq!((queue.invisible(), queue.visible()), (1, 0), "only the throttled one waits");
    running.stop().await;
}
