//! Who did what when, and whether it was right.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use messages::{DETAILS, REASON};
use tokio::time::Instant;

use super::report::Report;
use crate::sqs::queue::dead_letter::DeadLetter;

/// The books of one seed.
pub(super) struct Ledger {
    begun: Instant,
    fifo: bool,
    max_receive_count: u32,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    trace: Vec<String>,
    broken: Vec<String>,
    /// In the order of sending.
    sent: BTreeMap<String, Vec<Sent>>,
    /// Messages that took effect.
    effective: BTreeSet<String>,
    /// Deliveries whose verdict was an ack: body and receive count.
    acked: BTreeSet<(String, u32)>,
    /// Deliveries that a handler had for itself: body and receive count.
    alone: BTreeSet<(String, u32)>,
    /// Messages in the dead-letter queue, whoever put them there.
    dead_letters: BTreeSet<String>,
    /// Groups, or messages of a standard queue, that a handler has.
    running: BTreeSet<String>,
}

struct Sent {
    body: String,
    /// It can never be acknowledged.
    hopeless: bool,
}

impl Ledger {
    pub(super) fn new(fifo: bool, max_receive_count: u32) -> Self {
        Self { begun: Instant::now(), fifo, max_receive_count, books: Mutex::default() }
    }

    pub(super) fn note(&self, event: &str) {
        let line = format!("{:>8} {event}", self.begun.elapsed().as_millis());
        self.books().trace.push(line);
    }

    pub(super) fn sent(&self, group: &str, body: &str, hopeless: bool) {
        self.note(&format!("sent {body}"));
        let sent = Sent { body: body.to_owned(), hopeless };
        self.books().sent.entry(group.to_owned()).or_default().push(sent);
    }

    /// A handler begins with these groups or messages; none may be another handler's.
    pub(super) fn begin(&self, groups: &BTreeSet<String>) {
        for group in groups.iter().filter(|_| self.fifo) {
            if !self.books().running.insert(group.clone()) {
                self.broken(&format!("two handlers had {group}"));
            }
        }
    }

    pub(super) fn end(&self, groups: &BTreeSet<String>) {
        self.books().running.retain(|group| !groups.contains(group));
    }

    /// A message takes effect; in a FIFO group everything before it is done with.
    pub(super) fn effect(&self, group: &str, body: &str) {
        self.note(&format!("effect {body}"));
        let mut books = self.books();
        if !books.effective.insert(body.to_owned()) || !self.fifo {
            return;
        }
        let before = books.sent.get(group).into_iter().flatten();
        let mut before = before.take_while(|sent| sent.body != body);
        let open = before.find(|sent| !sent.hopeless && !books.is_settled(&sent.body));
        if let Some(open) = open.map(|sent| sent.body.clone()) {
            drop(books);
            self.broken(&format!("{body} took effect before {open}"));
        }
    }

    /// A handler is given one message.
    pub(super) fn alone(&self, body: &str, receives: u32) {
        self.books().alone.insert((body.to_owned(), receives));
    }

    pub(super) fn acked(&self, body: &str, receives: u32) {
        self.note(&format!("ack {body} #{receives}"));
        self.books().acked.insert((body.to_owned(), receives));
    }

    /// The queue deletes a message, by the handle of this delivery.
    pub(super) fn deleted(&self, body: &str, receives: u32) {
        self.note(&format!("deleted {body} #{receives}"));
        let books = self.books();
        let right =
            books.acked.contains(&(body.to_owned(), receives)) || books.dead_letters.contains(body);
        drop(books);
        if !right {
            self.broken(&format!(
                "{body} #{receives} was deleted and neither acked nor dead-lettered"
            ));
        }
    }

    pub(super) fn dead_lettered(&self, dead_letter: &DeadLetter) {
        let text = |name: &str| dead_letter.attributes.get(name)?.string_value();
        let (reason, details) = (text(REASON).unwrap_or(""), text(DETAILS).unwrap_or("null"));
        self.note(&format!("dead-lettered {}: {reason}", dead_letter.body));
        let details: serde_json::Value = serde_json::from_str(details).unwrap_or_default();
        let last = details.get("attempts").and_then(serde_json::Value::as_u64)
            == Some(self.max_receive_count.into());
        let mut books = self.books();
        let hopeless = books
            .sent
            .values()
            .flatten()
            .any(|sent| sent.hopeless && sent.body == dead_letter.body);
        books.dead_letters.insert(dead_letter.body.clone());
        let at_fault = books.alone.contains(&(dead_letter.body.clone(), self.max_receive_count));
        drop(books);
        if !hopeless && !at_fault {
            self.broken(&format!(
                "{} was dead-lettered for a neighbour's fault: {reason}",
                dead_letter.body
            ));
        }
        if reason.is_empty() || !(last || hopeless) {
            self.broken(&format!("{} was dead-lettered too soon: {reason}", dead_letter.body));
        }
    }

    /// The queue itself moves a message to its dead-letter queue.
    pub(super) fn redriven(&self, body: &str) {
        self.note(&format!("redriven {body}"));
        self.books().dead_letters.insert(body.to_owned());
    }

    pub(super) fn broken(&self, promise: &str) {
        self.note(&format!("BROKEN: {promise}"));
        self.books().broken.push(promise.to_owned());
    }

    /// Closes the books: every message must have come to an end.
    pub(super) fn close(&self) -> Report {
        let books = self.books();
        let is_lost = |sent: &&Sent| !books.is_settled(&sent.body);
        let lost: Vec<_> = books.sent.values().flatten().filter(is_lost).collect();
        let lost: Vec<_> = lost.iter().map(|sent| format!("{} was lost", sent.body)).collect();
        drop(books);
        for promise in lost {
            self.broken(&promise);
        }
        let books = self.books();
        Report { trace: books.trace.clone(), broken: books.broken.clone() }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn is_settled(&self, body: &str) -> bool {
        self.effective.contains(body) || self.dead_letters.contains(body)
    }
}
