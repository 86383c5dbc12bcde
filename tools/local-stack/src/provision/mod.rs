//! The queues, tables and buckets of `shared/resources/resources.json`, created where they are missing.
//!
//! They are as an account has them, with two exceptions:
//!
//! - The names of buckets have no account and no region: there is one account, and nobody else.
//! - No policy says who may use what, and no alarm watches: the server that stands in for AWS lets
//!   everybody do everything.

mod buckets;
mod queues;
mod tables;

use anyhow::Result;
use resources::{QueueKey, resources};

use crate::access::AwsAccess;

pub use buckets::create_bucket;
pub use queues::{Queue, create_fifo_queue, create_queue};
pub use tables::create_table;

/// The queues of the whole system.
#[derive(Debug, Clone)]
pub(crate) struct Queues {
    /// Commands.
    pub(crate) commands: Queue,
    /// Facts.
    pub(crate) facts: Queue,
    /// What was uploaded.
    pub(crate) attachment_events: Queue,
    /// Facts, for others: by name.
    pub(crate) subscribers: Vec<(String, Queue)>,
}

impl Queues {
    /// The URLs of the queues that get all facts.
    pub(crate) fn of_facts(&self) -> Vec<&str> {
        let subscribers = self.subscribers.iter().map(|(_, queue)| queue.url.as_str());
        std::iter::once(self.facts.url.as_str()).chain(subscribers).collect()
    }

    fn url(&self, key: QueueKey) -> &str {
        match key {
            QueueKey::Commands => &self.commands.url,
            QueueKey::Facts => &self.facts.url,
            QueueKey::AttachmentEvents => &self.attachment_events.url,
        }
    }
}

/// Creates all that is described and missing; what is there already is brought up to date, as far as
/// AWS can change it.
pub(crate) async fn create(aws: &AwsAccess, fact_queues: &[String]) -> Result<Queues> {
    let (sqs, described) = (aws.sqs(), resources());
    let mut subscribers = Vec::new();
    for name in fact_queues {
        subscribers.push((name.clone(), queues::create_subscriber(&sqs, name).await?));
    }
    let queues = Queues {
        commands: queues::create(&sqs, &described.queues.commands).await?,
        facts: queues::create(&sqs, &described.queues.facts).await?,
        attachment_events: queues::create(&sqs, &described.queues.attachment_events).await?,
        subscribers,
    };
    create_tables(aws).await?;
    for bucket in described.buckets.all() {
        create_bucket(aws, bucket, &bucket.name, |key| queues.url(key)).await?;
    }
    Ok(queues)
}

/// Creates all tables that are described and missing.
pub async fn create_tables(aws: &AwsAccess) -> Result<()> {
    let config = aws.config();
    for table in resources().tables.all() {
        create_table(&config, table, &table.name).await?;
    }
    Ok(())
}
