//! The one description of the queues, tables and buckets: `resources.json`, which `cdk/` reads as well.
//!
//! What creates them, what describes them to others and what checks them at its start all take their
//! values from here, so that a laptop has what the account has. The file has three objects, `queues`,
//! `tables` and `buckets`; each resource has a key that never changes, by which code finds it. The types
//! here document the members. An unknown member is refused, so that a typing error is not ignored.

mod bucket;
mod queue;
mod table;

use std::sync::LazyLock;

use serde::Deserialize;

pub use bucket::{Bucket, BucketEncryption, Buckets, Lifecycle, Notification};
pub use queue::{
    DeadLetterQueue, DeduplicationScope, Fifo, Queue, QueueEncryption, QueueKey, Queues,
    RedriveAllow, ThroughputLimit,
};
pub use table::{Attribute, AttributeType, Index, Table, TableEncryption, Tables};

const TEXT: &str = include_str!("../resources.json");

#[expect(clippy::expect_used, reason = "it is a part of the binary, and a test reads it")]
static RESOURCES: LazyLock<Resources> =
    LazyLock::new(|| serde_json::from_str(TEXT).expect("resources.json"));

/// Everything that the system keeps in SQS, `DynamoDB` and S3.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resources {
    /// The queues, each with its dead-letter queue.
    pub queues: Queues,
    /// The tables.
    pub tables: Tables,
    /// The buckets.
    pub buckets: Buckets,
}

/// The description.
#[must_use]
pub fn resources() -> &'static Resources {
    &RESOURCES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_member_is_refused_wherever_it_is() {
        for (at, _) in TEXT.match_indices('{') {
            let (before, after) = TEXT.split_at(at + 1);
            let text = format!(r#"{before}"typingError": 1,{after}"#);
            let error = serde_json::from_str::<Resources>(&text).unwrap_err().to_string();
            assert!(error.contains("unknown field `typingError`"), "{error}");
        }
    }
}
