//! A shutdown costs no message: what is at its last delivery is handled, the others are released.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::sleep;

use super::{Running, acks};
use crate::sqs::{
    BatchHandler, Config, Delivery, Each, Handler, Reject, Verdict, simulation::SimulatedQueue,
};

/// One batch at a time, so that others wait.
fn narrow() -> Config {
    Config { queue_batch_size: 2, queue_concurrency: 1, ..Config::for_test() }
}

/// Notes which messages end in the dead-letter queue, and takes a while for each batch.
#[derive(Clone, Default)]
struct Noting {
    notified: Arc<Mutex<Vec<String>>>,
    hangs: bool,
}

impl BatchHandler for Noting {
    type Message = String;

    fn decode(&self, delivery: &Delivery) -> Result<String, Reject> {
        match delivery.body() {
            "bad" => Err(Reject::new("malformed", "")),
            body => Ok(body.to_owned()),
        }
    }

    async fn handle(&self, batch: Vec<String>) -> Vec<Verdict> {
        if self.hangs {
            pending::<()>().await;
        }
        sleep(Duration::from_secs(5)).await;
        acks(&batch)
    }

    async fn dead_lettered(&self, messages: Vec<Delivery>) {
        let bodies = messages.iter().map(|delivery| delivery.body().to_owned());
        self.notified.lock().unwrap().extend(bodies);
    }
}

impl Handler for Noting {
    type Message = String;

    fn decode(&self, delivery: &Delivery) -> Result<String, Reject> {
        BatchHandler::decode(self, delivery)
    }

    async fn handle(&self, body: String) -> Verdict {
        BatchHandler::handle(self, vec![body]).await.remove(0)
    }

    async fn dead_lettered(&self, messages: Vec<Delivery>) {
        BatchHandler::dead_lettered(self, messages).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_at_its_last_delivery_is_handled_in_a_drain() {
    for fifo in [false, true] {
        let config = narrow();
        let queue = SimulatedQueue::new(&config, fifo, 1);
        let running = Running::start_with(&queue, &config, Noting::default());
        for number in 0..3 {
            queue.send(&number.to_string(), &number.to_string());
            sleep(Duration::from_millis(200)).await;
        }
        running.stop().await;
        assert_eq!(queue.dead_letters(), [], "fifo: {fifo}");
        // What was received was handled; at most what was not is left, with its delivery.
        assert!(queue.receive_counts().iter().all(|count| *count == 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_is_cut_off_releases_what_it_holds() {
    for (fifo, each) in [(false, false), (true, false), (false, true), (true, true)] {
        let config = Config::for_test();
        let queue = SimulatedQueue::new(&config, fifo, 5);
        (0..25).for_each(|number| queue.send(&format!("{}", number % 3), &number.to_string()));
        let handler = Noting { hangs: true, ..Noting::default() };
        let running = if each {
            Running::start_with(&queue, &config, Each::new(handler))
        } else {
            Running::start_with(&queue, &config, handler)
        };
        sleep(Duration::from_secs(1)).await;
        assert!(queue.invisible() > 0);
        running.stop.draining.cancel();
        sleep(Duration::from_secs(1)).await;
        running.stop.cut_off.cancel();
        tokio::time::timeout(Duration::from_secs(1), running.stop()).await.expect("at once");
        assert_eq!((queue.invisible(), queue.visible()), (0, 25), "fifo: {fifo}, each: {each}");
        assert_eq!(queue.dead_letters(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn the_handler_is_notified_of_whatever_ends_in_the_dead_letter_queue() {
    let config = Config::for_test();
    let queue = SimulatedQueue::new(&config, true, 1);
    queue.send("a", "bad");
    queue.send("b", "cut off");
    let handler = Noting { hangs: true, ..Noting::default() };
    let notified = Arc::clone(&handler.notified);
    let running = Running::start_with(&queue, &config, handler);
    running.until(|queue| queue.dead_letters().len() == 1).await;
    running.stop.draining.cancel();
    running.stop.cut_off.cancel();
    running.stop().await;
    let mut notified = notified.lock().unwrap().clone();
    notified.sort();
    assert_eq!(notified, ["bad", "cut off"]);
    assert_eq!(
        queue.dead_letters(),
        [("bad".to_owned(), "malformed".to_owned())],
        "none but that is ours"
    );
}

#[tokio::test(start_paused = true)]
async fn a_consumer_is_alive_during_long_work() {
    let config = Config {
        queue_batch_size: 1,
        queue_concurrency: 1,
        handler_timeout_seconds: 2_000,
        ..Config::for_test()
    };
    let queue = SimulatedQueue::new(&config, true, 5);
    (0..10).for_each(|number| queue.send(&number.to_string(), &number.to_string()));
    let running = Running::start(&queue, &config, async |batch| {
        sleep(Duration::from_secs(400)).await;
        acks(&batch)
    });
    for _ in 0..3_000 {
        sleep(Duration::from_secs(1)).await;
        assert!(running.pulses.iter().all(crate::health::Pulse::beats));
    }
    running.stop().await;
}
