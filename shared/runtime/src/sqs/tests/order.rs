//! The order of a FIFO group.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

use super::Running;
use crate::sqs::{Config, Retry, Verdict, simulation::Simulation};

/// Groups advance in order whatever is retried, panics or is cut off; nothing is lost.
#[test]
fn a_group_keeps_its_order_over_many_seeds() {
    for seed in 0..200 {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(groups_in_order(seed));
    }
}

async fn groups_in_order(seed: u64) {
    const MESSAGES: u32 = 12;
    let random = Arc::new(Mutex::new(SmallRng::seed_from_u64(seed)));
    let size = random.lock().unwrap().random_range(1..=15);
    let config = Config { queue_batch_size: size, backoff_max_seconds: 2, ..Config::for_test() };
    let queue = Simulation::new(&config, true, 1_000);
    for number in 0..MESSAGES {
        for group in ["a", "b", "c"] {
            queue.send(group, &format!("{group}{number:02}"));
        }
    }
    let effects = Arc::new(Mutex::new(BTreeMap::<char, Vec<String>>::new()));
    let sink = Arc::clone(&effects);
    let running = Running::start(&queue, &config, move |batch| {
        let verdicts = apply(batch, &mut random.lock().unwrap(), &mut sink.lock().unwrap());
        async move { verdicts }
    });
    running.until(Simulation::is_empty).await;
    running.stop().await;
    for (group, effects) in effects.lock().unwrap().iter() {
        let expected: Vec<_> = (0..MESSAGES).map(|number| format!("{group}{number:02}")).collect();
        assert_eq!(*effects, expected, "seed {seed}");
    }
}

/// Applies each message once; retries some, and then the rest of their group with them.
fn apply(
    batch: Vec<String>,
    random: &mut SmallRng,
    effects: &mut BTreeMap<char, Vec<String>>,
) -> Vec<Verdict> {
    let mut stopped = Vec::new();
    let mut verdict = |message: String| {
        let group = message.chars().next().unwrap();
        if stopped.contains(&group) || random.random_ratio(1, 4) {
            stopped.push(group);
            return Retry::new("unlucky", "").into();
        }
        let effects = effects.entry(group).or_default();
        if !effects.contains(&message) {
            effects.push(message);
        }
        Verdict::Ack
    };
    batch.into_iter().map(&mut verdict).collect()
}
