//! Half an hour, and everything is applied within a minute of the return.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{Call, FAULTS, Fault, Outcome, check, needy, queue};
use crate::sqs::{Config, Each, MAX_RECEIVE_COUNT, tests::Running};

const OUTAGE: Duration = Duration::from_mins(30);
const RETURN: Duration = Duration::from_mins(1);

const SHIPPED: u32 = MAX_RECEIVE_COUNT as u32;

async fn outage(fault: Fault, messages: usize, deliveries: u32, single: bool) -> Outcome {
    let config = Config::for_test();
    let queue = queue(&config, messages, deliveries);
    let back = Instant::now() + OUTAGE;
    let (needy, dependencies) = needy(fault, back);
    let effects = Arc::clone(&needy.effects);
    let running = if single {
        Running::start_needing(&queue, &config, Each::new(needy), dependencies)
    } else {
        Running::start_needing(&queue, &config, needy, dependencies)
    };
    sleep_until(back + RETURN).await;
    let outcome = Outcome::of(&queue, messages, &effects);
    running.stop().await;
    outcome
}

#[test]
fn half_an_hour_costs_no_message_whatever_fails_and_however_many_wait() {
    for fault in FAULTS {
        for messages in [1, 10, 400] {
            check("a batch at a time", fault, messages, outage(fault, messages, SHIPPED, false));
            check("one at a time", fault, messages, outage(fault, messages, SHIPPED, true));
        }
    }
}

#[test]
fn half_an_hour_costs_none_of_ten_thousand_messages() {
    for fault in FAULTS {
        check("a batch at a time", fault, 10_000, outage(fault, 10_000, SHIPPED, false));
    }
}

/// Where no check sees the fault, a message at its last delivery is given up after a while.
#[test]
fn half_an_hour_that_the_checks_see_costs_no_message_however_few_deliveries_there_are() {
    for fault in FAULTS.into_iter().filter(|fault| !matches!(fault.check, Call::Works)) {
        for deliveries in 1..=3 {
            let single = deliveries == 2;
            let outage = outage(fault, 100, deliveries, single);
            check(&format!("{deliveries} deliveries"), fault, 100, outage);
        }
    }
}
