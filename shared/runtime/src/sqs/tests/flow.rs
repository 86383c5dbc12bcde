//! How much is received, when, and what a drain does with it.

use std::{
    future::pending,
    sync::{Arc, Mutex, atomic::Ordering::SeqCst},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{Running, acks, standard};
use crate::sqs::{Config, simulation::SimulatedQueue};

/// How long a batch takes in [`slowly`].
const HANDLING: Duration = Duration::from_secs(1);

/// Handles a message, and those that come meanwhile: how large its batches were, and how long it took.
async fn slowly(config: &Config, following: usize) -> (Vec<usize>, Duration) {
    let begun = Instant::now();
    let queue = standard(config);
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sizes);
    let running = Running::start(&queue, config, move |batch| {
        seen.lock().unwrap().push(batch.len());
        async move {
            sleep(HANDLING).await;
            acks(&batch)
        }
    });
    queue.send("", "first");
    running.until(|queue| queue.invisible() == 1).await;
    for number in 0..following {
        queue.send("", &number.to_string());
    }
    running.until(SimulatedQueue::is_empty).await;
    let taken = begun.elapsed();
    running.stop().await;
    (sizes.lock().unwrap().clone(), taken)
}

#[tokio::test(start_paused = true)]
async fn while_a_batch_is_handled_receives_are_coalesced_up_to_the_batch_size() {
    let config = Config { queue_batch_size: 25, ..Config::for_test() };
    assert_eq!(slowly(&config, 50).await.0, [1, 20, 20, 10], "receives of ten, never split");
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_others_only_while_one_is_handled() {
    let config = Config { queue_batch_wait_ms: 10_000, ..Config::for_test() };
    let (sizes, taken) = slowly(&config, 1).await;
    assert_eq!(sizes, [1, 1]);
    assert!(taken < HANDLING * 3, "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_is_received_than_there_are_slots() {
    let config = Config { queue_batch_size: 3, queue_concurrency: 2, ..Config::for_test() };
    let queue = standard(&config);
    for number in 0..50 {
        queue.send("", &number.to_string());
    }
    let running = Running::start(&queue, &config, |_| pending());
    sleep(config.handler_timeout() / 2).await;
    assert_eq!(queue.invisible(), 6);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_queue_is_polled_with_backoff_and_found_again() {
    let config = Config::for_test();
    let queue = standard(&config);
    queue.state().failing_receives.store(40, SeqCst);
    queue.send("", "message");
    let running = Running::start(&queue, &config, async |batch| acks(&batch));
    sleep(Duration::from_mins(1)).await;
    assert!(queue.receives() < 40, "{} receives in a minute", queue.receives());
    running.until(SimulatedQueue::is_empty).await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_finishes_what_runs_and_takes_no_more() {
    let config = Config { queue_batch_size: 1, queue_concurrency: 1, ..Config::for_test() };
    let queue = standard(&config);
    let running = Running::start(&queue, &config, async |batch| {
        sleep(Duration::from_secs(5)).await;
        acks(&batch)
    });
    queue.send("", "runs");
    running.until(|queue| queue.invisible() == 1).await;
    sleep(Duration::from_secs(1)).await;
    running.stop.draining.cancel();
    queue.send("", "comes too late");
    sleep(Duration::from_secs(2)).await;
    assert_eq!((queue.invisible(), queue.visible()), (1, 1));
    running.stop().await;
    assert_eq!(
        (queue.invisible(), queue.visible()),
        (0, 1),
        "the first is done, the second is free"
    );
}

#[tokio::test(start_paused = true)]
async fn unstarted_messages_are_given_back_at_once() {
    let config = Config { queue_batch_size: 2, queue_concurrency: 2, ..Config::for_test() };
    let queue = standard(&config);
    let release = CancellationToken::new();
    let gate = release.clone();
    let running = Running::start(&queue, &config, move |batch| {
        let gate = gate.clone();
        async move {
            gate.cancelled().await;
            acks(&batch)
        }
    });
    for body in ["1", "2", "3"] {
        queue.send("", body);
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(queue.invisible(), 3, "two run, one has been received and waits");
    running.stop.draining.cancel();
    sleep(Duration::from_secs(1)).await;
    assert_eq!((queue.invisible(), queue.visible()), (2, 1));
    release.cancel();
    running.stop().await;
    assert_eq!((queue.invisible(), queue.visible()), (0, 1));
}
