//! Buckets, in the words of S3.

use serde::Deserialize;

use crate::QueueKey;

/// The buckets.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Buckets {
    /// Files that callers upload and download by signed URLs.
    pub attachments: Bucket,
    /// Bodies of commands that are too large for their queue.
    pub claim_checks: Bucket,
    /// Exports of dead letters.
    pub dead_letters: Bucket,
    /// Dumps of the database.
    pub backups: Bucket,
}

/// A bucket.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bucket {
    /// Its name. Names of buckets are global, so in an account `-ACCOUNT-REGION` follows it.
    pub name: String,
    /// What it is for, in one line.
    pub purpose: String,
    /// Whether an object that is replaced or deleted stays as a version of its own.
    pub versioned: bool,
    /// Who holds the key that its objects are encrypted with.
    pub encryption: BucketEncryption,
    /// When S3 removes what.
    pub lifecycle: Lifecycle,
    /// Whom it notifies.
    #[serde(default)]
    pub notifications: Vec<Notification>,
}

/// Who holds the key that objects are encrypted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum BucketEncryption {
    /// S3.
    #[serde(rename = "SSE-S3")]
    SseS3,
}

/// When S3 removes what, anywhere in the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lifecycle {
    /// An object, after it was written; without it never.
    pub expire_after_days: Option<u16>,
    /// A version, after it was replaced or deleted.
    pub expire_noncurrent_after_days: u16,
    /// The parts of an upload that nobody finished, after its beginning.
    pub abort_uploads_after_days: u16,
}

/// A notification of events.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notification {
    /// The queue that it goes to.
    pub queue: QueueKey,
    /// Of which events.
    pub events: Vec<String>,
    /// What the keys of the objects begin with.
    pub prefix: String,
}

impl Buckets {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> [&Bucket; 4] {
        [&self.attachments, &self.claim_checks, &self.dead_letters, &self.backups]
    }
}

#[cfg(test)]
mod tests {
    use crate::resources;

    #[test]
    fn bodies_are_kept_for_longer_than_their_messages() {
        let (queue, bucket) = (&resources().queues.commands, &resources().buckets.claim_checks);
        let seconds = queue.retention_seconds + queue.dead_letter_queue.retention_seconds;
        let kept = bucket.lifecycle.expire_after_days.map(|days| u32::from(days) * 24 * 60 * 60);
        assert!(kept.is_none_or(|kept| kept > seconds));
    }
}
