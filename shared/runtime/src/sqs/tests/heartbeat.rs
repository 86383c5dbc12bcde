//! Work that takes longer than its messages' visibility.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{Running, acks, standard};
use crate::sqs::{
    Config, Delivery, Each, Handler, Reject, Retry, Verdict, simulation::SimulatedQueue,
};

/// Ten visibility timeouts fit into the handler's.
fn patient() -> Config {
    Config {
        queue_visibility_seconds: 6,
        handler_timeout_seconds: 60,
        queue_concurrency: 1,
        ..Config::for_test()
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_take_longer_than_the_visibility() {
    let config = patient();
    let queue = standard(&config);
    for number in 0..25 {
        queue.send("", &number.to_string());
    }
    let running = Running::start(&queue, &config, async |batch| {
        sleep(Duration::from_secs(50)).await;
        acks(&batch)
    });
    sleep(Duration::from_secs(49)).await;
    assert_eq!((queue.invisible(), queue.visible()), (25, 0));
    assert_eq!(queue.receive_counts(), [1; 25]);
    running.until(SimulatedQueue::is_empty).await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn messages_that_wait_for_a_handler_are_kept_too() {
    let config = Config { queue_batch_size: 2, ..patient() };
    let queue = standard(&config);
    let running = Running::start(&queue, &config, async |batch| {
        sleep(Duration::from_secs(40)).await;
        acks(&batch)
    });
    queue.send("", "is handled");
    sleep(Duration::from_secs(1)).await;
    queue.send("", "waits");
    sleep(Duration::from_secs(37)).await;
    assert_eq!(queue.receive_counts(), [1, 1]);
    running.until(SimulatedQueue::is_empty).await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn work_that_hangs_is_cut_off_and_its_messages_come_back() {
    let config = patient();
    let queue = SimulatedQueue::new(&config, false, 1);
    queue.send("", "message");
    let begun = Instant::now();
    let running = Running::start(&queue, &config, |_| pending());
    running.until(SimulatedQueue::is_empty).await;
    assert_eq!(queue.dead_letters(), [("message".to_owned(), "handler_timed_out".to_owned())]);
    assert_eq!(begun.elapsed().as_secs(), u64::from(config.handler_timeout_seconds));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_heartbeat_is_tried_again() {
    let config = patient();
    let queue = standard(&config);
    queue.state().failing_extends.store(2, SeqCst);
    queue.send("", "message");
    let running = Running::start(&queue, &config, async |batch| {
        sleep(Duration::from_secs(20)).await;
        acks(&batch)
    });
    sleep(Duration::from_secs(19)).await;
    assert_eq!(queue.receive_counts(), [1]);
    running.until(SimulatedQueue::is_empty).await;
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn work_is_called_off_before_others_are_handed_its_messages() {
    let config = patient();
    let queue = SimulatedQueue::new(&config, false, 2);
    queue.state().failing_extends.store(usize::MAX, SeqCst);
    queue.send("", "message");
    let begun = Instant::now();
    let running = Running::start(&queue, &config, |_| pending());
    running.until(|queue| queue.receive_counts() == [2]).await;
    assert!(begun.elapsed() < config.visibility());
    running.until(SimulatedQueue::is_empty).await;
    assert_eq!(queue.dead_letters(), [], "it is not at fault");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_gone_stops_no_other_message() {
    let config = patient();
    let queue = standard(&config);
    let handled = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&handled);
    queue.send("", "is purged");
    queue.send("", "stays");
    let running = Running::start(&queue, &config, move |batch| {
        counter.fetch_add(batch.len(), SeqCst);
        async move {
            sleep(Duration::from_secs(50)).await;
            acks(&batch)
        }
    });
    sleep(Duration::from_secs(1)).await;
    queue.purge_first();
    sleep(Duration::from_secs(48)).await;
    assert_eq!(queue.receive_counts(), [1]);
    running.until(SimulatedQueue::is_empty).await;
    assert_eq!(handled.load(SeqCst), 2, "each was handled once");
    running.stop().await;
}

/// Counts what it begins and what it ends, after fifty seconds.
#[derive(Clone, Default)]
struct Counting(Arc<(AtomicUsize, AtomicUsize)>);

impl Handler for Counting {
    type Message = String;

    fn decode(&self, delivery: &Delivery) -> Result<String, Reject> {
        Ok(delivery.body().to_owned())
    }

    async fn handle(&self, _: String) -> Verdict {
        self.0.0.fetch_add(1, SeqCst);
        sleep(Duration::from_secs(50)).await;
        self.0.1.fetch_add(1, SeqCst);
        Verdict::Ack
    }
}

#[tokio::test(start_paused = true)]
async fn the_handler_of_a_message_that_is_gone_is_cut_off() {
    for fifo in [false, true] {
        let config = patient();
        let queue = SimulatedQueue::new(&config, fifo, 5);
        for body in ["is purged", "stays"] {
            queue.send(body, body);
        }
        let handler = Counting::default();
        let counts = Arc::clone(&handler.0);
        let running = Running::start_with(&queue, &config, Each::new(handler));
        sleep(Duration::from_secs(1)).await;
        queue.purge_first();
        running.until(SimulatedQueue::is_empty).await;
        running.stop().await;
        assert_eq!((counts.0.load(SeqCst), counts.1.load(SeqCst)), (2, 1), "fifo: {fifo}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_visibility_lasts_for_more_than_twelve_hours() {
    let config = Config {
        queue_visibility_seconds: 43_200,
        handler_timeout_seconds: 20_000,
        ..Config::for_test()
    };
    let queue = SimulatedQueue::new(&config, true, 5);
    for body in ["1", "2", "3"] {
        queue.send("group", body);
    }
    let slow = Slow(Duration::from_secs(19_000));
    let running = Running::start_with(&queue, &config, Each::new(slow));
    sleep(Duration::from_hours(36)).await;
    assert_eq!(queue.broken(), [""; 0]);
    running.stop().await;
}

/// Takes its time, and then retries after a wait that is longer than what SQS allows.
struct Slow(Duration);

impl Handler for Slow {
    type Message = ();

    fn decode(&self, _: &Delivery) -> Result<(), Reject> {
        Ok(())
    }

    async fn handle(&self, (): ()) -> Verdict {
        sleep(self.0).await;
        Retry::new("later", "").after(Duration::from_hours(11)).into()
    }
}
