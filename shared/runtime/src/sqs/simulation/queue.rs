//! A queue in memory that does what SQS documents, on tokio's clock, and fails as its faults say.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize},
    time::Duration,
};

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use tokio::{sync::Notify, time::Instant};

use super::{faults::Faults, ledger::Ledger};
use crate::sqs::{
    Config, Delivery,
    queue::{
        attributes::QueueAttributes, claim_check::ClaimChecks, dead_letter::DeadLetter,
        rules::Rules,
    },
};

/// Clones share the queue.
#[derive(Clone)]
pub(in crate::sqs) struct SimulatedQueue(Arc<State>);

pub(in crate::sqs) struct State {
    pub(super) attributes: QueueAttributes,
    pub(super) wait: Duration,
    pub(super) visibility: Duration,
    pub(super) messages: Mutex<VecDeque<Stored>>,
    pub(in crate::sqs) dead_letters: Mutex<Vec<DeadLetter>>,
    pub(super) changed: Notify,
    pub(super) receives: AtomicUsize,
    pub(super) claim_checks: ClaimChecks,
    pub(super) faults: Faults,
    pub(super) ledger: Arc<Ledger>,
    /// How many of the next calls fail.
    pub(in crate::sqs) failing_receives: AtomicUsize,
    pub(in crate::sqs) failing_deletes: AtomicUsize,
    pub(in crate::sqs) failing_extends: AtomicUsize,
    pub(in crate::sqs) failing_dead_letters: AtomicUsize,
    /// Bytes of the largest dead letter that is taken; of a larger one the whole batch is refused.
    pub(in crate::sqs) longest_dead_letter: AtomicUsize,
    /// What sending dead letters takes.
    pub(super) dead_letter_delay: Mutex<Duration>,
}

pub(super) struct Stored {
    id: String,
    group: String,
    pub(super) body: String,
    fifo: bool,
    pub(super) receives: u32,
    pub(super) received_at: Instant,
    pub(super) visible_at: Instant,
}

impl SimulatedQueue {
    pub(super) fn faulty(
        config: &Config,
        rules: Rules,
        faults: Faults,
        ledger: Arc<Ledger>,
    ) -> Self {
        let attributes = QueueAttributes {
            arn: "arn:aws:sqs:region:1:queue".to_owned(),
            rules,
            dead_letter_url: String::new(),
        };
        Self(Arc::new(State {
            attributes,
            wait: config.wait(),
            visibility: config.visibility(),
            messages: Mutex::default(),
            dead_letters: Mutex::default(),
            changed: Notify::new(),
            receives: AtomicUsize::new(0),
            claim_checks: ClaimChecks::disabled(),
            faults,
            ledger,
            failing_receives: AtomicUsize::new(0),
            failing_deletes: AtomicUsize::new(0),
            failing_extends: AtomicUsize::new(0),
            failing_dead_letters: AtomicUsize::new(0),
            longest_dead_letter: AtomicUsize::new(usize::MAX),
            dead_letter_delay: Mutex::default(),
        }))
    }

    pub(in crate::sqs) fn state(&self) -> &State {
        &self.0
    }

    pub(in crate::sqs) fn send(&self, group: &str, body: &str) {
        let fifo = self.0.attributes.rules.fifo;
        let (id, visible_at) = (format!("{group}/{body}"), Instant::now());
        let (group, body) = (group.to_owned(), body.to_owned());
        self.messages().push_back(Stored {
            id,
            group,
            body,
            fifo,
            receives: 0,
            received_at: visible_at,
            visible_at,
        });
        self.0.changed.notify_waiters();
    }

    pub(in crate::sqs) fn is_empty(&self) -> bool {
        self.messages().is_empty()
    }

    pub(super) fn messages(&self) -> MutexGuard<'_, VecDeque<Stored>> {
        self.0.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can be received now, in the order of sending within each group.
    pub(super) fn take(&self, most: u16) -> Vec<Delivery> {
        self.redrive();
        let now = Instant::now();
        let mut messages = self.messages();
        let is_hidden = |message: &&Stored| message.fifo && message.visible_at > now;
        let blocked: HashSet<_> = messages.iter().filter(is_hidden).map(Stored::group).collect();
        let is_free = |(_, message): &(usize, &Stored)| {
            message.visible_at <= now && !blocked.contains(message.group())
        };
        let free = messages.iter().enumerate().filter(is_free);
        let taken: Vec<_> = if self.0.faults.shuffle() {
            self.shuffled(free.collect()).take(most.into()).collect()
        } else {
            free.map(|(place, _)| place).take(most.into()).collect()
        };
        let taken = taken.into_iter().filter_map(|place| {
            let message = messages.get_mut(place)?;
            let visibility = self.0.visibility(message.fifo);
            message.hand_out(now + visibility).try_into().ok()
        });
        taken.collect()
    }

    /// The places of messages, from some group on: SQS promises no order between groups. The
    /// sort keeps each group's order.
    fn shuffled(&self, mut free: Vec<(usize, &Stored)>) -> impl Iterator<Item = usize> + use<> {
        let groups: BTreeSet<_> = free.iter().map(|(_, message)| message.group()).collect();
        let start = groups.iter().nth(self.0.faults.start(groups.len())).copied();
        free.sort_by_key(|(_, message)| Some(message.group()) < start);
        let places: Vec<_> = free.into_iter().map(|(place, _)| place).collect();
        places.into_iter()
    }

    /// SQS moves a message instead of handing it out once too often.
    fn redrive(&self) {
        let (now, most) = (Instant::now(), self.0.attributes.rules.max_receive_count);
        self.messages().retain(|message| {
            let is_over = message.visible_at <= now && message.receives >= most;
            if is_over {
                self.0.ledger.redriven(&message.body);
            }
            !is_over
        });
    }

    pub(super) fn next_visible(&self) -> Option<Instant> {
        let now = Instant::now();
        let messages = self.messages();
        messages.iter().map(|message| message.visible_at).filter(|time| *time > now).min()
    }

    /// Changes a message that is still in flight by this handle; says whether there was one.
    pub(super) fn change(
        &self,
        handle: &str,
        change: impl FnOnce(&mut VecDeque<Stored>, usize),
    ) -> bool {
        let mut messages = self.messages();
        let now = Instant::now();
        let current = |message: &Stored| {
            message.is_known_by(handle) && (!message.fifo || message.visible_at > now)
        };
        let position = messages.iter().position(current);
        if let Some(position) = position {
            change(&mut messages, position);
        }
        position.is_some()
    }
}

impl State {
    fn visibility(&self, fifo: bool) -> Duration {
        if fifo { self.visibility } else { self.faults.visibility(self.visibility) }
    }
}

impl Stored {
    fn handle(&self) -> String {
        format!("{}#{}", self.id, self.receives)
    }

    fn is_known_by(&self, handle: &str) -> bool {
        handle.starts_with(&self.id) && handle == self.handle()
    }

    fn group(&self) -> &str {
        &self.group
    }

    fn hand_out(&mut self, visible_at: Instant) -> Message {
        self.receives += 1;
        self.received_at = Instant::now();
        self.visible_at = visible_at;
        let mut system = HashMap::from([
            (System::MessageGroupId, self.group.clone()),
            (System::ApproximateReceiveCount, self.receives.to_string()),
        ]);
        if self.fifo {
            system.insert(System::SequenceNumber, "1".to_owned());
        }
        let message = Message::builder().message_id(&self.id).receipt_handle(self.handle());
        message.body(&self.body).set_attributes(Some(system)).build()
    }
}
