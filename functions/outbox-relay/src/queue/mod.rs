//! One queue that facts are published to.

mod fault;
mod order;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::types::{SendMessageBatchRequestEntry, SendMessageBatchResultEntry};
use futures::{StreamExt as _, stream};
use instruments::Instrument;
use metrics::counter;
use store::{Failure, Fault, PendingFact, TaskKey};
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use self::fault::{of_entry, of_request};
use self::order::{requests, rounds};
use crate::instruments::{REFUSED, SENT};
use crate::message::Message;

/// A queue, and which facts of the batch it has already: sent only to those queues that do not have
/// it, a fact is hardly ever repeated, however long another queue is unavailable.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    client: Client,
    url: String,
    name: String,
    fifo: bool,
    concurrency: usize,
    taken: HashSet<i64>,
}

/// What one sending came to.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    /// Facts that the queue did not take, by themselves.
    pub(crate) failures: Vec<Failure>,
    /// Whether the queue did not answer, or rejected whole requests for a cause that is no fact's:
    /// nothing more was sent then.
    pub(crate) unavailable: bool,
    taken: Vec<i64>,
    /// The tasks of the facts that it did not take.
    blocked: HashSet<TaskKey>,
}

/// How a queue answered one request.
enum Answer {
    Taken(SendMessageBatchOutput),
    /// It rejected the whole request, maybe because of one of its entries.
    Rejected(Fault, String),
    Unavailable,
}

impl Queue {
    pub(crate) fn new(client: Client, url: &str, concurrency: usize) -> Self {
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        let fifo = name.strip_suffix(".fifo").is_some();
        Self { client, url: url.to_owned(), name, fifo, concurrency, taken: HashSet::new() }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether the queue has the fact.
    pub(crate) fn has(&self, fact: &PendingFact) -> bool {
        self.taken.contains(&fact.seq) || fact.published_to.contains(&self.url)
    }

    /// Sends what the queue does not have yet, a task's facts in order, until the lease ends. What
    /// it has of other batches is dropped, for that is done or recorded.
    pub(crate) async fn send(&mut self, messages: &[Arc<Message>], until: Instant) -> Sending {
        let present: HashSet<_> = messages.iter().map(|message| message.fact.seq).collect();
        self.taken.retain(|seq| present.contains(seq));
        let mut sending = Sending::default();
        let missing = messages.iter().filter(|message| !self.has(&message.fact));
        for mut round in rounds(missing.cloned()) {
            round.retain(|message| !sending.blocked.contains(&message.fact.task));
            let requests = requests(round).into_iter().map(|request| self.request(request, until));
            let answers = stream::iter(requests).buffer_unordered(self.concurrency);
            sending = answers.fold(sending, async |sending, answer| sending.and(answer)).await;
            if sending.unavailable {
                break;
            }
        }
        self.taken.extend(&sending.taken);
        sending
    }

    /// Sends facts of different tasks in one request; if it is rejected as a whole, and one of them
    /// may be the cause, each in a request of its own.
    async fn request(&self, messages: Vec<Arc<Message>>, until: Instant) -> Sending {
        match (self.call(&messages, until).await, messages.as_slice()) {
            (Answer::Taken(output), _) => self.taken(&messages, &output),
            (Answer::Unavailable, _) => {
                self.count(REFUSED, messages.len());
                Sending { unavailable: true, ..Sending::default() }
            }
            (Answer::Rejected(fault, code), [message]) => {
                Sending::default().but(&message.fact, self.failure(&message.fact, fault, code))
            }
            (Answer::Rejected(..), _) => {
                let mut sending = Sending::default();
                for message in &messages {
                    let alone = Box::pin(self.request(vec![Arc::clone(message)], until)).await;
                    sending = sending.and(alone);
                }
                sending
            }
        }
    }

    async fn call(&self, messages: &[Arc<Message>], until: Instant) -> Answer {
        let entries: Result<_, _> = messages.iter().map(|message| self.entry(message)).collect();
        let Ok(entries) = entries else {
            return Answer::Rejected(Fault::Unreadable, "InvalidEntry".to_owned());
        };
        let request = self.client.send_message_batch().queue_url(&self.url);
        match timeout_at(until, request.set_entries(Some(entries)).send()).await {
            Ok(Ok(output)) => Answer::Taken(output),
            Ok(Err(error)) => match of_request(&error) {
                Some((fault, code)) => Answer::Rejected(fault, code),
                None => self.unavailable(&anyhow::Error::new(error)),
            },
            Err(elapsed) => self.unavailable(&anyhow::Error::new(elapsed)),
        }
    }

    fn unavailable(&self, error: &anyhow::Error) -> Answer {
        warn!(queue = self.name, error = format!("{error:#}"), "a queue is unavailable");
        Answer::Unavailable
    }

    fn taken(&self, messages: &[Arc<Message>], output: &SendMessageBatchOutput) -> Sending {
        let taken: HashSet<_> =
            output.successful().iter().map(SendMessageBatchResultEntry::id).collect();
        let mut sending = Sending::default();
        for fact in messages.iter().map(|message| &message.fact) {
            let id = fact.seq.to_string();
            if taken.contains(id.as_str()) {
                sending.taken.push(fact.seq);
                continue;
            }
            let error = output.failed().iter().find(|error| error.id == id);
            let (fault, code) = error.map_or_else(fault::unanswered, of_entry);
            sending = sending.but(fact, self.failure(fact, fault, code));
        }
        self.count(SENT, sending.taken.len());
        sending
    }

    fn failure(&self, fact: &PendingFact, fault: Fault, reason: String) -> Failure {
        self.count(REFUSED, 1);
        warn!(queue = self.name, fact = %fact.id, reason, "a queue did not take a fact");
        Failure { seq: fact.seq, queue: Some(self.name.clone()), reason, fault }
    }

    fn count(&self, instrument: Instrument, facts: usize) {
        let facts = u64::try_from(facts).unwrap_or(u64::MAX);
        counter!(instrument.name, "queue" => self.name.clone()).increment(facts);
    }

    fn entry(&self, message: &Message) -> anyhow::Result<SendMessageBatchRequestEntry> {
        let Message { fact, body } = message;
        let entry =
            SendMessageBatchRequestEntry::builder().id(fact.seq.to_string()).message_body(body);
        let entry = if self.fifo {
            entry
                .message_group_id(fact.task.task.to_string())
                .message_deduplication_id(fact.id.to_string())
        } else {
            entry
        };
        Ok(entry.build()?)
    }
}

impl Sending {
    fn but(mut self, fact: &PendingFact, failure: Failure) -> Self {
        self.blocked.insert(fact.task.clone());
        self.failures.push(failure);
        self
    }

    fn and(mut self, other: Self) -> Self {
        self.taken.extend(other.taken);
        self.blocked.extend(other.blocked);
        self.failures.extend(other.failures);
        self.unavailable |= other.unavailable;
        self
    }
}
