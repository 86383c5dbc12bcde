//! One queue that is told.

mod order;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::Context as _;
use aws_sdk_sqs::{
    Client,
    types::{SendMessageBatchRequestEntry, SendMessageBatchResultEntry},
};
use domain::TaskId;
use futures::{StreamExt as _, stream};
use metrics::counter;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use self::order::{requests, rounds};
use crate::envelope::Envelope;
use crate::queues::{REFUSED, SENT};

/// A queue, and which facts of the batch it has already: told again only to those queues that do
/// not have it, a fact is hardly ever repeated, however long another queue is away.
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
    /// Tasks of which the queue refused a fact.
    pub(crate) refused: HashSet<TaskId>,
    /// Whether the queue did not answer, or refused whole requests: nothing more was sent then.
    pub(crate) failed: bool,
    taken: Vec<i64>,
}

impl Queue {
    pub(crate) fn new(client: Client, url: &str, concurrency: usize) -> Self {
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        let fifo = name.strip_suffix(".fifo").is_some();
        Self { client, url: url.to_owned(), name, fifo, concurrency, taken: HashSet::new() }
    }

    /// Whether the queue has the fact.
    pub(crate) fn has(&self, seq: i64) -> bool {
        self.taken.contains(&seq)
    }

    /// Sends what the queue does not have yet, a task's facts in order, until the lease ends. What
    /// it has of other batches is forgotten, for that is done or will be read again.
    pub(crate) async fn send(&mut self, facts: &[Arc<Envelope>], until: Instant) -> Sending {
        let present: HashSet<_> = facts.iter().map(|fact| fact.seq).collect();
        self.taken.retain(|seq| present.contains(seq));
        let mut sending = Sending::default();
        let missing = facts.iter().filter(|fact| !self.taken.contains(&fact.seq));
        for mut round in rounds(missing.cloned()) {
            round.retain(|fact| !sending.refused.contains(&fact.task));
            let requests = requests(round).into_iter().map(|request| self.request(request, until));
            let answers = stream::iter(requests).buffer_unordered(self.concurrency);
            sending = answers.fold(sending, async |sending, answer| sending.and(answer)).await;
            if sending.failed {
                break;
            }
        }
        self.taken.extend(&sending.taken);
        sending
    }

    /// Sends facts of different tasks in one request.
    async fn request(&self, facts: Vec<Arc<Envelope>>, until: Instant) -> Sending {
        let count = u64::try_from(facts.len()).unwrap_or(u64::MAX);
        let answer = timeout_at(until, self.call(&facts)).await;
        let sending = match answer.context("no answer while the lease lasts").flatten() {
            Ok(sending) => sending,
            Err(error) => {
                warn!(queue = self.name, error = format!("{error:#}"), "a queue takes no facts");
                Sending { failed: true, ..Sending::default() }
            }
        };
        let taken = u64::try_from(sending.taken.len()).unwrap_or(u64::MAX);
        counter!(SENT, "queue" => self.name.clone()).increment(taken);
        counter!(REFUSED, "queue" => self.name.clone()).increment(count.saturating_sub(taken));
        sending
    }

    async fn call(&self, facts: &[Arc<Envelope>]) -> anyhow::Result<Sending> {
        let entries = facts.iter().map(|fact| self.entry(fact)).collect::<Result<_, _>>()?;
        let request = self.client.send_message_batch().queue_url(&self.url);
        let answer = request.set_entries(Some(entries)).send().await.context("cannot send")?;
        let mut sending = Sending::default();
        for entry in answer.failed() {
            warn!(queue = self.name, seq = entry.id, code = entry.code, "a queue refused a fact");
        }
        let taken: HashSet<_> =
            answer.successful().iter().map(SendMessageBatchResultEntry::id).collect();
        for fact in facts {
            if taken.contains(fact.seq.to_string().as_str()) {
                sending.taken.push(fact.seq);
            } else {
                sending.refused.insert(fact.task);
            }
        }
        Ok(sending)
    }

    fn entry(&self, fact: &Envelope) -> anyhow::Result<SendMessageBatchRequestEntry> {
        let id = fact.seq.to_string();
        let entry = SendMessageBatchRequestEntry::builder().id(&id).message_body(&fact.body);
        let entry = if self.fifo {
            entry.message_group_id(fact.task.to_string()).message_deduplication_id(id)
        } else {
            entry
        };
        Ok(entry.build()?)
    }
}

impl Sending {
    fn and(mut self, other: Self) -> Self {
        self.taken.extend(other.taken);
        self.refused.extend(other.refused);
        self.failed |= other.failed;
        self
    }
}
