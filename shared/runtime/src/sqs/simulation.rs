//! A queue in memory that does what SQS documents, on tokio's clock, and fails when told to.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use anyhow::bail;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use tokio::time::{Instant, sleep};

use super::{
    Config, Record,
    action::Rules,
    dead_letter::Letter,
    facts::Facts,
    queue::{Answer, Failure, Queue},
};

/// Clones share the queue.
#[derive(Clone)]
pub(super) struct Simulation(Arc<State>);

pub(super) struct State {
    facts: Facts,
    wait: Duration,
    visibility: Duration,
    messages: Mutex<Vec<Stored>>,
    dead: Mutex<Vec<Letter>>,
    receives: AtomicUsize,
    /// How many of the next calls fail.
    pub(super) failing_receives: AtomicUsize,
    pub(super) failing_deletes: AtomicUsize,
    pub(super) failing_burials: AtomicUsize,
}

struct Stored {
    id: String,
    group: String,
    body: String,
    receives: u32,
    visible_at: Instant,
}

impl Simulation {
    pub(super) fn new(config: &Config, fifo: bool, max_receive_count: u32) -> Self {
        let facts = Facts {
            arn: "arn:aws:sqs:region:1:queue".to_owned(),
            rules: Rules { max_receive_count, fifo },
            dead_letter_url: String::new(),
        };
        Self(Arc::new(State {
            facts,
            wait: config.wait(),
            visibility: config.visibility(),
            messages: Mutex::default(),
            dead: Mutex::default(),
            receives: AtomicUsize::new(0),
            failing_receives: AtomicUsize::new(0),
            failing_deletes: AtomicUsize::new(0),
            failing_burials: AtomicUsize::new(0),
        }))
    }

    pub(super) fn state(&self) -> &State {
        &self.0
    }

    pub(super) fn send(&self, group: &str, body: &str) {
        let mut messages = self.0.messages.lock().unwrap();
        let (id, visible_at) = (format!("{group}/{body}"), Instant::now());
        let (group, body) = (group.to_owned(), body.to_owned());
        messages.push(Stored { id, group, body, receives: 0, visible_at });
    }

    /// Messages that are neither deleted nor hidden.
    pub(super) fn visible(&self) -> usize {
        let messages = self.0.messages.lock().unwrap();
        messages.iter().filter(|message| message.visible_at <= Instant::now()).count()
    }

    pub(super) fn hidden(&self) -> usize {
        let messages = self.0.messages.lock().unwrap();
        messages.iter().filter(|message| message.visible_at > Instant::now()).count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.messages.lock().unwrap().is_empty()
    }

    /// How often it was asked for messages.
    pub(super) fn receives(&self) -> usize {
        self.0.receives.load(SeqCst)
    }

    /// Body and reason of each dead letter.
    pub(super) fn dead(&self) -> Vec<(String, String)> {
        let reason = |letter: &Letter| letter.attributes["DeadLetterReason"].string_value.clone();
        let dead = self.0.dead.lock().unwrap();
        dead.iter().map(|letter| (letter.body.clone(), reason(letter).unwrap())).collect()
    }

    fn take(&self, most: u16) -> Vec<Record> {
        let now = Instant::now();
        let mut messages = self.0.messages.lock().unwrap();
        let hidden = messages.iter().filter(|message| message.visible_at > now);
        let mut blocked: HashSet<_> = hidden.map(|message| message.group.clone()).collect();
        if !self.0.facts.rules.fifo {
            blocked.clear();
        }
        let free = messages.iter_mut().filter(|message| message.visible_at <= now);
        free.filter(|message| !blocked.contains(&message.group))
            .take(most.into())
            .map(|message| {
                message.receives += 1;
                message.visible_at = now + self.0.visibility;
                message.record()
            })
            .collect()
    }

    fn change(&self, handle: &str, change: impl FnOnce(&mut Vec<Stored>, usize)) {
        let (id, receives) = handle.split_once('#').unwrap();
        let mut messages = self.0.messages.lock().unwrap();
        let current =
            |message: &Stored| message.id == id && message.receives.to_string() == receives;
        if let Some(index) = messages.iter().position(current) {
            change(&mut messages, index);
        }
    }
}

impl Stored {
    fn record(&self) -> Record {
        let system = HashMap::from([
            (System::MessageGroupId, self.group.clone()),
            (System::ApproximateReceiveCount, self.receives.to_string()),
        ]);
        let message = Message::builder()
            .message_id(&self.id)
            .receipt_handle(format!("{}#{}", self.id, self.receives))
            .body(&self.body)
            .set_attributes(Some(system));
        message.build().try_into().unwrap()
    }
}

impl Queue for Simulation {
    async fn receive(&self, most: u16) -> anyhow::Result<Vec<Record>> {
        self.0.receives.fetch_add(1, SeqCst);
        if fails(&self.0.failing_receives) {
            bail!("the queue is away");
        }
        let begun = Instant::now();
        loop {
            let records = self.take(most);
            if !records.is_empty() || begun.elapsed() >= self.0.wait {
                return Ok(records);
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn delete(&self, handles: &[String]) -> Answer {
        if fails(&self.0.failing_deletes) {
            return Ok(all_fail(handles.len()));
        }
        for handle in handles {
            self.change(handle, |messages, index| drop(messages.remove(index)));
        }
        Ok(Vec::new())
    }

    async fn hide(&self, waits: &[(String, i32)]) -> Answer {
        for (handle, seconds) in waits {
            let wait = Duration::from_secs(u64::try_from(*seconds).unwrap());
            self.change(handle, |messages, index| {
                messages[index].visible_at = Instant::now() + wait;
            });
        }
        Ok(Vec::new())
    }

    async fn bury(&self, letters: &[Letter]) -> Answer {
        if fails(&self.0.failing_burials) {
            return Ok(all_fail(letters.len()));
        }
        self.0.dead.lock().unwrap().extend_from_slice(letters);
        Ok(Vec::new())
    }

    fn facts(&self) -> &Facts {
        &self.0.facts
    }
}

fn fails(next: &AtomicUsize) -> bool {
    next.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
}

fn all_fail(count: usize) -> Vec<Failure> {
    let failure = |index| Failure { index, code: "InternalError".to_owned(), futile: false };
    (0..count).map(failure).collect()
}
