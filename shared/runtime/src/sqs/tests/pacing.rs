//! What is asked of the queue while a dependency is away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::time::sleep;

use super::{Running, acks, standard};
use crate::sqs::{Config, Retry, simulation::Simulation};

/// A consumer whose dependency is away until it is told otherwise, and the batches it was given.
struct Away {
    running: Running,
    is_back: Arc<AtomicBool>,
    batches: Arc<AtomicUsize>,
}

impl Away {
    fn start(queue: &Simulation, config: &Config) -> Self {
        let (is_back, batches) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (works, count) = (Arc::clone(&is_back), Arc::<AtomicUsize>::clone(&batches));
        let running = Running::start(queue, config, move |batch| {
            count.fetch_add(1, SeqCst);
            let works = works.load(SeqCst);
            async move {
                let retry = Retry::unavailable("database_unavailable", "");
                if works { acks(&batch) } else { vec![retry.into(); batch.len()] }
            }
        });
        Self { running, is_back, batches }
    }
}

fn full_queue(config: &Config) -> Simulation {
    let queue = Simulation::new(config, false, 1_000);
    for number in 0..200 {
        queue.send("", &number.to_string());
    }
    queue
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_not_use_up_the_deliveries_of_the_queue() {
    let config = Config { queue_batch_size: 10, ..Config::for_test() };
    let queue = full_queue(&config);
    let away = Away::start(&queue, &config);
    sleep(Duration::from_mins(5)).await;
    let deliveries: u32 = queue.receive_counts().iter().sum();
    assert!(deliveries < 80, "{deliveries} deliveries in five minutes");
    assert!(queue.dead().is_empty());
    away.is_back.store(true, SeqCst);
    away.running.until(Simulation::is_empty).await;
    assert!(queue.dead().is_empty());
    away.running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn probes_are_single_and_ever_rarer() {
    let config = Config { queue_receivers: 1, queue_batch_size: 10, ..Config::for_test() };
    let queue = full_queue(&config);
    let away = Away::start(&queue, &config);
    let mut counts = Vec::<(u32, u32)>::new();
    for _ in 0..4 {
        sleep(Duration::from_mins(1)).await;
        let batches = u32::try_from(away.batches.load(SeqCst)).unwrap();
        counts.push((batches, queue.receive_counts().iter().sum()));
    }
    let probes: Vec<_> = counts.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let messages: Vec<_> = counts.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    assert!(probes.iter().all(|probes| (2..=4).contains(probes)), "{probes:?} a minute");
    assert_eq!(messages, probes, "each probe is one message");
    away.running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_comes_back_no_sooner_than_the_pause_ends() {
    let config = Config { queue_receivers: 1, ..Config::for_test() };
    let queue = standard(&config);
    let away = Away::start(&queue, &config);
    queue.send("", "message");
    sleep(Duration::from_millis(500)).await;
    assert_eq!((queue.hidden(), queue.receive_counts()), (1, vec![1]));
    sleep(Duration::from_millis(499)).await;
    assert_eq!(queue.visible(), 0, "a first pause takes a second at least");
    away.is_back.store(true, SeqCst);
    away.running.until(Simulation::is_empty).await;
    away.running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_a_pause() {
    let config = Config::for_test();
    let queue = full_queue(&config);
    let away = Away::start(&queue, &config);
    sleep(Duration::from_mins(2)).await;
    let stopped = tokio::time::timeout(Duration::from_secs(2), away.running.stop());
    stopped.await.expect("it should stop at once");
}
