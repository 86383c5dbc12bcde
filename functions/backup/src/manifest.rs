//! What is said of a backup beside the dump, as JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use store::backup::Contents;

/// The format of a manifest. A reader refuses a later one.
pub(crate) const FORMAT: u32 = 1;

/// What a backup is. It appears when the dump is whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) id: String,
    /// The version of task-app that made it.
    pub(crate) made_by: String,
    /// The version of `pg_dump` that made it, such as `15.18`.
    pub(crate) pg_dump: String,
    #[serde(serialize_with = "domain::time::serialize")]
    pub(crate) finished_at: DateTime<Utc>,
    pub(crate) seconds: f64,
    pub(crate) dump: Dump,
    /// What was in the database at that moment.
    pub(crate) contents: Contents,
}

/// The object with the dump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dump {
    /// Bytes of the object.
    pub(crate) size: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
    /// Parts that it was sent in; 0 if it took one request.
    pub(crate) parts: usize,
    /// Bytes before they were compressed.
    pub(crate) uncompressed: u64,
}

/// How the last verification ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Verification {
    #[serde(serialize_with = "domain::time::serialize")]
    pub(crate) verified_at: DateTime<Utc>,
    pub(crate) seconds: f64,
    /// The version of the scratch server, such as 150018.
    pub(crate) server_version: i32,
    /// How many tasks were compared with their history in `DynamoDB`: none, if that was not asked for.
    #[serde(default)]
    pub(crate) histories: usize,
    /// Empty if the backup is good.
    pub(crate) problems: Vec<String>,
}

impl Manifest {
    /// The major version of the `pg_dump` that made it.
    pub(crate) fn pg_dump_major(&self) -> Option<i32> {
        let digits: String = self.pg_dump.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    }
}
