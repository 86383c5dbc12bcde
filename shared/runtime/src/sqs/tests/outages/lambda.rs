//! A quarter of an hour, and everything is applied within about two minutes of the return.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use rand::{SeedableRng as _, rngs::SmallRng};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{FAULTS, Fault, Needy, Outcome, check, needy, queue};
use crate::{
    SystemClock,
    sqs::{
        Config, LambdaConsumer, MAX_RECEIVE_COUNT, Parts, Queue as _, simulation::SimulatedQueue,
    },
};

const OUTAGE: Duration = Duration::from_mins(15);
/// The longest wait, and the handling of whatever comes at its end.
const RETURN: Duration = Duration::from_secs(130);
/// An invocation's.
const TIMEOUT: Duration = Duration::from_secs(30);
const CONCURRENCY: u64 = 5;

/// An event source mapping, and the processes behind it, until `end`.
async fn mapping(
    consumer: &LambdaConsumer<Needy, SimulatedQueue>,
    queue: &SimulatedQueue,
    end: Instant,
) {
    while Instant::now() < end {
        let Ok(received) = timeout_at(end, queue.receive(10)).await else { return };
        let deliveries = received.unwrap();
        if deliveries.is_empty() {
            continue;
        }
        let failed = consumer.handle(deliveries.clone(), Instant::now() + TIMEOUT).await;
        for delivery in deliveries {
            if !failed.iter().any(|id| id == delivery.message_id()) {
                queue.delete(&[delivery.receipt_handle().to_owned()]).await.unwrap();
            }
        }
    }
}

/// Runs differ in what is chosen by chance.
async fn outage(fault: Fault, messages: usize, run: u64) -> Outcome {
    let config = Config::for_test();
    let queue = queue(&config, messages, MAX_RECEIVE_COUNT.into());
    let back = Instant::now() + OUTAGE;
    let (needy, dependencies) = needy(fault, back);
    let effects = Arc::clone(&needy.effects);
    let process = |number| {
        LambdaConsumer::new(Parts {
            queue: queue.clone(),
            handler: needy.clone(),
            config: &config,
            name: "test",
            clock: Arc::new(SystemClock),
            dependencies: dependencies.clone(),
            random: SmallRng::seed_from_u64(run * CONCURRENCY + number),
        })
    };
    let processes: Vec<_> = (0..CONCURRENCY).map(process).collect();
    let end = back + RETURN;
    join_all(processes.iter().map(|process| mapping(process, &queue, end))).await;
    sleep_until(end).await;
    Outcome::of(&queue, messages, &effects)
}

#[test]
fn a_quarter_of_an_hour_costs_no_message_whatever_fails_and_however_many_wait() {
    for fault in FAULTS {
        for (messages, runs) in [(1, 5), (10, 5), (400, 1)] {
            for run in 0..runs {
                let what = format!("a Lambda, run {run}");
                check(&what, fault, messages, outage(fault, messages, run));
            }
        }
    }
}
