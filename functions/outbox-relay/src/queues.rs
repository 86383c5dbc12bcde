//! All queues that facts are published to.
//!
//! | name | kind | labels | what |
//! |---|---|---|---|
//! | `facts_sent_total` | counter | `queue` | facts that the queue took |
//! | `facts_refused_total` | counter | `queue` | facts that it did not take, counted at each attempt |

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use aws_sdk_sqs::Client;
use futures::future::join_all;
use store::{Failure, Fault, PendingFact, TaskKey};
use tokio::time::Instant;

use crate::config::Config;
use crate::message::Message;
use crate::queue::Queue;

/// The queues; clones remember apart what each queue has.
#[derive(Clone, Debug)]
pub(crate) struct Queues(Vec<Queue>);

/// What a batch came to.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The facts that every queue has.
    pub(crate) everywhere: HashSet<i64>,
    /// The first fact of each task that some queue did not take.
    pub(crate) failures: Vec<Failure>,
    /// The facts of those tasks that some queue does not have, with the URLs of those that have
    /// them, separated by commas.
    pub(crate) held: Vec<(i64, String)>,
    /// Whether some queue is unavailable.
    pub(crate) unavailable: bool,
}

impl Queues {
    /// Whether the queues exist shows when they are sent to: they may be made later.
    pub(crate) async fn connect(config: &Config) -> Self {
        let client = Client::new(&runtime::aws::client_config().await);
        let concurrency = usize::from(config.relay_concurrency);
        let queue = |url: &String| Queue::new(client.clone(), url, concurrency);
        Self(config.fact_queue_urls.iter().map(queue).collect())
    }

    /// Sends to all queues at once.
    pub(crate) async fn send(&mut self, messages: &[Arc<Message>], until: Instant) -> Sent {
        let sendings = join_all(self.0.iter_mut().map(|queue| queue.send(messages, until))).await;
        let unavailable = sendings.iter().any(|sending| sending.unavailable);
        let has_everywhere = |fact: &PendingFact| self.0.iter().all(|queue| queue.has(fact));
        let (everywhere, missing): (Vec<_>, Vec<_>) =
            messages.iter().map(|message| &message.fact).partition(|fact| has_everywhere(fact));
        let failures = first_of_tasks(&missing, sendings.into_iter().flat_map(|one| one.failures));
        let is_held = |fact: &&&PendingFact| failures.contains_key(&fact.task);
        let held = missing.iter().filter(is_held).map(|fact| (fact.seq, self.who_have(fact)));
        Sent {
            everywhere: everywhere.into_iter().map(|fact| fact.seq).collect(),
            held: held.collect(),
            unavailable,
            failures: failures.into_values().collect(),
        }
    }

    fn who_have(&self, fact: &PendingFact) -> String {
        let queues = self.0.iter().filter(|queue| queue.has(fact));
        queues.map(Queue::url).collect::<Vec<_>>().join(",")
    }
}

/// The failures of those facts that are the first of their task to be `missing` anywhere: a later
/// one must not be tried before them. Of a fact's failures at several queues, one that can park it.
fn first_of_tasks(
    missing: &[&PendingFact],
    failures: impl Iterator<Item = Failure>,
) -> HashMap<TaskKey, Failure> {
    let mut by_fact: HashMap<i64, Failure> = HashMap::new();
    for failure in failures {
        let known = by_fact.entry(failure.seq).or_insert_with(|| failure.clone());
        if failure.fault == Fault::Refused {
            *known = failure;
        }
    }
    let mut seen = HashSet::new();
    let first = missing.iter().filter(|fact| seen.insert(&fact.task));
    first.filter_map(|fact| Some((fact.task.clone(), by_fact.remove(&fact.seq)?))).collect()
}
