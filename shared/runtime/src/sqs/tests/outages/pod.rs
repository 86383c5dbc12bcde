//! Half an hour, and everything is applied within a minute of the return.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{FAULTS, Fault, Outcome, check, needy, queue};
use crate::sqs::{Config, Each, tests::Running};

const OUTAGE: Duration = Duration::from_mins(30);
const RETURN: Duration = Duration::from_mins(1);

async fn outage(fault: Fault, messages: usize, single: bool) -> Outcome {
    let config = Config::for_test();
    let queue = queue(&config, messages);
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
            check("a batch at a time", fault, messages, outage(fault, messages, false));
            check("one at a time", fault, messages, outage(fault, messages, true));
        }
    }
}

/// The first are each of a kind of its own.
#[test]
fn half_an_hour_costs_none_of_ten_thousand_messages() {
    for fault in FAULTS.into_iter().take(6) {
        check("a batch at a time", fault, 10_000, outage(fault, 10_000, false));
    }
}
