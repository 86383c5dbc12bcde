//! A queue in memory that does what SQS documents, on tokio's clock, and fails when told to.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize},
    time::Duration,
};

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use tokio::{sync::Notify, time::Instant};

use super::{faults::Faults, ledger::Ledger};
use crate::sqs::{
    Config, Record, action::Rules, claim_check::Claims, dead_letter::DeadLetter, facts::Facts,
};

/// Clones share the queue.
#[derive(Clone)]
pub(in crate::sqs) struct Simulation(Arc<State>);

pub(in crate::sqs) struct State {
    pub(super) facts: Facts,
    pub(super) wait: Duration,
    pub(super) visibility: Duration,
    pub(super) messages: Mutex<Vec<Stored>>,
    pub(in crate::sqs) dead: Mutex<Vec<DeadLetter>>,
    pub(super) changed: Notify,
    pub(super) receives: AtomicUsize,
    pub(super) claims: Claims,
    pub(super) faults: Faults,
    pub(super) ledger: Arc<Ledger>,
    /// How many of the next calls fail.
    pub(in crate::sqs) failing_receives: AtomicUsize,
    pub(in crate::sqs) failing_deletes: AtomicUsize,
    pub(in crate::sqs) failing_extends: AtomicUsize,
    pub(in crate::sqs) failing_burials: AtomicUsize,
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

impl Simulation {
    pub(super) fn faulty(
        config: &Config,
        rules: Rules,
        faults: Faults,
        ledger: Arc<Ledger>,
    ) -> Self {
        let facts = Facts {
            arn: "arn:aws:sqs:region:1:queue".to_owned(),
            rules,
            dead_letter_url: String::new(),
        };
        Self(Arc::new(State {
            facts,
            wait: config.wait(),
            visibility: config.visibility(),
            messages: Mutex::default(),
            dead: Mutex::default(),
            changed: Notify::new(),
            receives: AtomicUsize::new(0),
            claims: Claims::disabled(),
            faults,
            ledger,
            failing_receives: AtomicUsize::new(0),
            failing_deletes: AtomicUsize::new(0),
            failing_extends: AtomicUsize::new(0),
            failing_burials: AtomicUsize::new(0),
            longest_dead_letter: AtomicUsize::new(usize::MAX),
            dead_letter_delay: Mutex::default(),
        }))
    }

    pub(in crate::sqs) fn state(&self) -> &State {
        &self.0
    }

    pub(in crate::sqs) fn send(&self, group: &str, body: &str) {
        let fifo = self.0.facts.rules.fifo;
        let (id, visible_at) = (format!("{group}/{body}"), Instant::now());
        let (group, body) = (group.to_owned(), body.to_owned());
        self.messages().push(Stored {
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

    pub(super) fn messages(&self) -> MutexGuard<'_, Vec<Stored>> {
        self.0.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can be received now, in the order of sending within each group.
    pub(super) fn take(&self, most: u16) -> Vec<Record> {
        self.redrive();
        let now = Instant::now();
        let mut messages = self.messages();
        let hidden = messages.iter().filter(|message| message.fifo && message.visible_at > now);
        let blocked: BTreeSet<_> = hidden.map(|message| message.group.clone()).collect();
        let is_free =
            |message: &Stored| message.visible_at <= now && !blocked.contains(&message.group);
        let groups: Vec<_> = messages.iter().filter(|message| is_free(message)).collect();
        let groups: BTreeSet<_> = groups.iter().map(|message| message.group.clone()).collect();
        let start = groups.iter().nth(self.0.faults.start(groups.len())).cloned();
        let mut free: Vec<_> = messages.iter_mut().filter(|message| is_free(message)).collect();
        // Groups from `start` on come first; the sort keeps each group's order.
        free.sort_by_key(|message| Some(&message.group) < start.as_ref());
        let taken = free.into_iter().take(most.into());
        taken
            .map(|message| message.hand_out(now + self.0.visibility(message.fifo)))
            .filter_map(|message| message.try_into().ok())
            .collect()
    }

    /// SQS moves a message instead of handing it out once too often.
    fn redrive(&self) {
        let (now, most) = (Instant::now(), self.0.facts.rules.max_receive_count);
        let is_over = |message: &mut Stored| message.visible_at <= now && message.receives >= most;
        for message in self.messages().extract_if(.., is_over) {
            self.0.ledger.redriven(&message.body);
        }
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
        change: impl FnOnce(&mut Vec<Stored>, usize),
    ) -> bool {
        let mut messages = self.messages();
        let current = |message: &Stored| {
            message.handle() == handle && (!message.fifo || message.visible_at > Instant::now())
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
