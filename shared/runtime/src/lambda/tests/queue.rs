//! A queue that records its calls.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use anyhow::bail;
use serde_json::Value;

use crate::sqs::{Answer, ClaimChecks, DeadLetter, Delivery, Queue, QueueAttributes, Rules};

pub(super) const QUEUE_ARN: &str = "arn:aws:sqs:local:123456789012:queue";

/// After which the queue gives a message up by itself.
pub(super) const MOST_DELIVERIES: u32 = 3;

/// Clones share the record.
#[derive(Clone)]
pub(super) struct RecordingQueue(Arc<State>);

struct State {
    attributes: QueueAttributes,
    claim_checks: ClaimChecks,
    invisible: Mutex<Vec<(String, i32)>>,
    dead_letters: Mutex<Vec<DeadLetter>>,
    dead_letters_fail: AtomicBool,
}

impl RecordingQueue {
    pub(super) fn new(fifo: bool) -> Self {
        let attributes = QueueAttributes {
            arn: QUEUE_ARN.to_owned(),
            rules: Rules { max_receive_count: MOST_DELIVERIES, fifo },
            dead_letter_url: String::new(),
        };
        Self(Arc::new(State {
            attributes,
            claim_checks: ClaimChecks::disabled(),
            invisible: Mutex::default(),
            dead_letters: Mutex::default(),
            dead_letters_fail: AtomicBool::new(false),
        }))
    }

    pub(super) fn fail_dead_letters(&self) {
        self.0.dead_letters_fail.store(true, SeqCst);
    }

    /// Receipt handle and seconds of each message that was invisible.
    pub(super) fn invisible(&self) -> Vec<(String, i32)> {
        let mut invisible = self.0.invisible.lock().unwrap().clone();
        invisible.sort();
        invisible
    }

    /// Message ids of the dead letters.
    pub(super) fn dead_letter_ids(&self) -> Vec<String> {
        let details = |dead_letter: DeadLetter| -> Value {
            serde_json::from_str(dead_letter.attributes["DeadLetter"].string_value().unwrap())
                .unwrap()
        };
        let id = |dead_letter| details(dead_letter)["message_id"].as_str().unwrap().to_owned();
        self.dead_letters().into_iter().map(id).collect()
    }

    /// The dead letters.
    pub(super) fn dead_letters(&self) -> Vec<DeadLetter> {
        self.0.dead_letters.lock().unwrap().clone()
    }
}

impl Queue for RecordingQueue {
    async fn receive(&self, _: u16) -> anyhow::Result<Vec<Delivery>> {
        panic!("a Lambda receives nothing by itself")
    }

    async fn delete(&self, _: &[String]) -> Answer {
        panic!("a Lambda deletes nothing by itself")
    }

    async fn change_visibility(&self, waits: &[(String, i32)]) -> Answer {
        self.0.invisible.lock().unwrap().extend_from_slice(waits);
        Ok(Vec::new())
    }

    async fn extend(&self, _: &[String], _: i32) -> Answer {
        panic!("a Lambda has no heartbeat")
    }

    async fn send_dead_letters(&self, dead_letters: &[DeadLetter]) -> Answer {
        if self.0.dead_letters_fail.load(SeqCst) {
            bail!("as the test says");
        }
        self.0.dead_letters.lock().unwrap().extend_from_slice(dead_letters);
        Ok(Vec::new())
    }

    fn attributes(&self) -> &QueueAttributes {
        &self.0.attributes
    }

    fn claim_checks(&self) -> &ClaimChecks {
        &self.0.claim_checks
    }
}
