//! All queues that are told.
//!
//! | name | kind | labels | what |
//! |---|---|---|---|
//! | `facts_sent_total` | counter | `queue` | facts that the queue took |
//! | `facts_refused_total` | counter | `queue` | facts that it did not take, counted at each attempt |

use std::collections::HashSet;
use std::sync::Arc;

use aws_sdk_sqs::Client;
use domain::TaskId;
use futures::future::join_all;
use metrics::describe_counter;
use tokio::time::Instant;

use crate::config::Config;
use crate::envelope::Envelope;
use crate::queue::Queue;

pub(crate) const SENT: &str = "facts_sent_total";
pub(crate) const REFUSED: &str = "facts_refused_total";

/// The queues; clones remember apart what each queue has.
#[derive(Clone, Debug)]
pub(crate) struct Queues(Vec<Queue>);

/// What a batch came to.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The facts that every queue has.
    pub(crate) seqs: HashSet<i64>,
    /// Tasks of which some queue refused a fact.
    pub(crate) refused: HashSet<TaskId>,
    /// Whether some queue is away.
    pub(crate) failed: bool,
}

impl Queues {
    /// Whether the queues exist shows when they are sent to: they may be made later.
    pub(crate) async fn connect(config: &Config) -> Self {
        describe_counter!(SENT, "Facts that the queue took");
        describe_counter!(REFUSED, "Facts that the queue did not take, counted at each attempt");
        let client = Client::new(&runtime::aws::client_config().await);
        let concurrency = usize::from(config.relay_concurrency);
        let queue = |url: &String| Queue::new(client.clone(), url, concurrency);
        Self(config.fact_queue_urls.iter().map(queue).collect())
    }

    /// Sends to all queues at once.
    pub(crate) async fn send(&mut self, facts: &[Arc<Envelope>], until: Instant) -> Sent {
        let sendings = join_all(self.0.iter_mut().map(|queue| queue.send(facts, until))).await;
        let everywhere = |seq: &i64| self.0.iter().all(|queue| queue.has(*seq));
        Sent {
            seqs: facts.iter().map(|fact| fact.seq).filter(everywhere).collect(),
            failed: sendings.iter().any(|sending| sending.failed),
            refused: sendings.into_iter().flat_map(|sending| sending.refused).collect(),
        }
    }
}
