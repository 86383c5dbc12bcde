//! One bad message harms no good one: with as many deliveries as the shipped queues allow.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{Running, acks};
use crate::sqs::{
    BatchHandler, Config, Delivery, Each, Handler, Reject, Retry, Verdict,
    simulation::SimulatedQueue,
};

const DELIVERIES: u32 = 5;

/// What a poison message does, at each of its deliveries.
#[derive(Debug, Clone, Copy)]
enum Poison {
    Panics,
    Hangs,
    Retries,
    MiscountsVerdicts,
}

const POISONS: [Poison; 4] =
    [Poison::Panics, Poison::Hangs, Poison::Retries, Poison::MiscountsVerdicts];

type Acked = Arc<Mutex<Vec<String>>>;

/// Notes what took effect.
#[derive(Clone)]
struct Poisoned {
    poison: Poison,
    acked: Acked,
}

impl Poisoned {
    async fn take(&self, body: String) -> Option<Verdict> {
        if body.starts_with("poison") {
            return match self.poison {
                Poison::Panics => std::panic::resume_unwind(Box::new("poison")),
                Poison::Hangs => pending().await,
                Poison::Retries => Some(Retry::new("poison", "").into()),
                Poison::MiscountsVerdicts => None,
            };
        }
        sleep(Duration::from_millis(20)).await;
        self.acked.lock().unwrap().push(body);
        Some(Verdict::Ack)
    }
}

impl BatchHandler for Poisoned {
    type Message = String;

    fn decode(&self, delivery: &Delivery) -> Result<String, Reject> {
        Ok(delivery.body().to_owned())
    }

    async fn handle(&self, batch: Vec<String>) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for body in batch {
            let stops = verdicts.iter().any(|verdict| matches!(verdict, Verdict::Retry(_)));
            let skipped = || Some(Retry::new("behind", "").into());
            verdicts.extend(if stops { skipped() } else { self.take(body).await });
        }
        verdicts
    }
}

impl Handler for Poisoned {
    type Message = String;

    fn decode(&self, delivery: &Delivery) -> Result<String, Reject> {
        Ok(delivery.body().to_owned())
    }

    async fn handle(&self, body: String) -> Verdict {
        self.take(body).await.unwrap_or_else(|| Retry::new("none", "").into())
    }
}

/// Consumes `bodies` of one group to the end; what was acknowledged, in order.
async fn consume(
    queue: &SimulatedQueue,
    config: &Config,
    poison: Poison,
    each: bool,
) -> Vec<String> {
    let handler = Poisoned { poison, acked: Acked::default() };
    let acked = Arc::clone(&handler.acked);
    let running = if each {
        Running::start_with(queue, config, Each::new(handler))
    } else {
        Running::start_with(queue, config, handler)
    };
    running.until(SimulatedQueue::is_empty).await;
    running.stop().await;
    let mut distinct = Vec::new();
    for body in acked.lock().unwrap().iter() {
        if !distinct.contains(body) {
            distinct.push(body.clone());
        }
    }
    distinct
}

fn bodies(queue: &SimulatedQueue) -> Vec<String> {
    queue.dead_letters().into_iter().map(|(body, _)| body).collect()
}

#[tokio::test(start_paused = true)]
async fn a_poison_message_takes_nothing_of_its_group_with_it() {
    for (poison, each) in POISONS.into_iter().flat_map(|poison| [(poison, false), (poison, true)]) {
        let config = Config::for_test();
        let queue = SimulatedQueue::new(&config, true, DELIVERIES);
        let good: Vec<_> = (1..10).map(|number| number.to_string()).collect();
        queue.send("group", "poison");
        for body in &good {
            queue.send("group", body);
        }
        let acked = consume(&queue, &config, poison, each).await;
        assert_eq!(bodies(&queue), ["poison"], "{poison:?}, each: {each}");
        assert_eq!(acked, good, "{poison:?}, each: {each}: all of them, in order");
    }
}

#[tokio::test(start_paused = true)]
async fn of_several_poison_messages_in_a_group_each_dies_alone() {
    for (poison, each) in POISONS.into_iter().flat_map(|poison| [(poison, false), (poison, true)]) {
        let config = Config::for_test();
        let queue = SimulatedQueue::new(&config, true, DELIVERIES);
        for body in ["1", "poison 1", "2", "poison 2", "poison 3", "3"] {
            queue.send("group", body);
        }
        let acked = consume(&queue, &config, poison, each).await;
        assert_eq!(bodies(&queue), ["poison 1", "poison 2", "poison 3"], "{poison:?}");
        assert_eq!(acked, ["1", "2", "3"], "{poison:?}, each: {each}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_standard_queue_a_poison_message_takes_no_neighbour_with_it() {
    for poison in [Poison::Panics, Poison::Hangs, Poison::MiscountsVerdicts] {
        let config = Config { queue_batch_wait_ms: 50, ..Config::for_test() };
        let queue = SimulatedQueue::new(&config, false, DELIVERIES);
        (0..99).for_each(|number| queue.send("", &number.to_string()));
        queue.send("", "poison");
        let acked = consume(&queue, &config, poison, false).await;
        assert_eq!(bodies(&queue), ["poison"], "{poison:?}");
        assert_eq!(acked.len(), 99, "{poison:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn messages_at_their_last_delivery_that_all_hang_end_in_bounded_time() {
    let config = Config { queue_receivers: 1, ..Config::for_test() };
    let queue = SimulatedQueue::new(&config, false, 1);
    (0..100).for_each(|number| queue.send("", &format!("poison {number}")));
    let begun = Instant::now();
    consume(&queue, &config, Poison::Hangs, false).await;
    assert_eq!(queue.dead_letters().len(), 100);
    let rounds = begun.elapsed().as_secs_f64() / config.handler_timeout().as_secs_f64();
    assert!(rounds < 11.0, "ten at a time, each with its own time: {rounds}");
}

/// Takes ten seconds for a message.
struct Slow;

impl Handler for Slow {
    type Message = String;

    fn decode(&self, delivery: &Delivery) -> Result<String, Reject> {
        Ok(delivery.body().to_owned())
    }

    async fn handle(&self, _: String) -> Verdict {
        sleep(Duration::from_secs(10)).await;
        Verdict::Ack
    }
}

#[tokio::test(start_paused = true)]
async fn slow_work_costs_what_waits_for_it_no_delivery() {
    for fifo in [false, true] {
        let config = Config::for_test();
        let queue = SimulatedQueue::new(&config, fifo, DELIVERIES);
        (0..2_000).for_each(|number| queue.send(&format!("{}", number % 400), &number.to_string()));
        let running = Running::start_with(&queue, &config, Each::new(Slow));
        sleep(Duration::from_mins(5)).await;
        let counts = queue.receive_counts();
        assert!(counts.iter().all(|count| *count <= 1), "fifo: {fifo}: {counts:?}");
        running.until(SimulatedQueue::is_empty).await;
        assert_eq!(queue.dead_letters(), []);
        running.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn slots_are_filled_anew_as_messages_end() {
    let config = Config { queue_concurrency: 1, ..Config::for_test() };
    let queue = SimulatedQueue::new(&config, false, DELIVERIES);
    let begun = Instant::now();
    // One message hangs for a while; the other nine slots go on.
    queue.send("", "poison");
    (0..900).for_each(|number| queue.send("", &number.to_string()));
    let handler = Poisoned { poison: Poison::Hangs, acked: Acked::default() };
    let acked = Arc::clone(&handler.acked);
    let running = Running::start_with(&queue, &config, Each::new(handler));
    running.until(|_| acked.lock().unwrap().len() == 900).await;
    assert!(begun.elapsed() < config.handler_timeout());
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_ack_does_not_wait_for_slow_dead_letters() {
    let config = Config::for_test();
    let queue = SimulatedQueue::new(&config, true, DELIVERIES);
    queue.state().slow_dead_letters(Duration::from_secs(20));
    queue.send("a", "bad");
    queue.send("b", "good");
    let running = Running::start(&queue, &config, async |batch| acks(&batch));
    sleep(Duration::from_secs(5)).await;
    assert_eq!((queue.invisible() + queue.visible(), queue.dead_letters().len()), (1, 0));
    running.until(SimulatedQueue::is_empty).await;
    assert_eq!(bodies(&queue), ["bad"]);
    running.stop().await;
}
