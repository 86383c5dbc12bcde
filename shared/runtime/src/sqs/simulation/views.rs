//! What the tests of single promises begin with and look at.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    faults::{Faults, Rates},
    ledger::Ledger,
    queue::{SimulatedQueue, State},
};
use crate::sqs::{
    Config,
    queue::{dead_letter::DeadLetter, rules::Rules},
};

impl SimulatedQueue {
    /// A queue on which nothing fails unless a fault says so.
    pub(in crate::sqs) fn new(config: &Config, fifo: bool, max_receive_count: u32) -> Self {
        let ledger = Arc::new(Ledger::new(fifo, max_receive_count));
        let rules = Rules { max_receive_count, fifo };
        Self::faulty(config, rules, Faults::new(Rates::default(), 0), ledger)
    }

    /// Messages that are neither deleted nor invisible.
    pub(in crate::sqs) fn visible(&self) -> usize {
        self.messages().iter().filter(|message| message.visible_at <= Instant::now()).count()
    }

    pub(in crate::sqs) fn invisible(&self) -> usize {
        self.messages().iter().filter(|message| message.visible_at > Instant::now()).count()
    }

    /// The first message vanishes, as if by a purge.
    pub(in crate::sqs) fn purge_first(&self) {
        self.messages().remove(0);
    }

    /// The promises that were broken.
    pub(in crate::sqs) fn broken(&self) -> Vec<String> {
        self.state().ledger.close().broken
    }

    /// How many receives there were.
    pub(in crate::sqs) fn receives(&self) -> usize {
        self.state().receives.load(SeqCst)
    }

    /// How often each message that is left was handed out, in the order of sending.
    pub(in crate::sqs) fn receive_counts(&self) -> Vec<u32> {
        self.messages().iter().map(|message| message.receives).collect()
    }

    /// Body and reason of each dead letter.
    pub(in crate::sqs) fn dead_letters(&self) -> Vec<(String, String)> {
        let reason = |dead_letter: &DeadLetter| {
            dead_letter.attributes["DeadLetterReason"].string_value.clone()
        };
        let dead_letters = self.state().dead_letters.lock().unwrap();
        dead_letters
            .iter()
            .map(|dead_letter| (dead_letter.body.clone(), reason(dead_letter).unwrap()))
            .collect()
    }
}

impl State {
    pub(in crate::sqs) fn slow_dead_letters(&self, delay: Duration) {
        *self.dead_letter_delay.lock().unwrap() = delay;
    }
}
