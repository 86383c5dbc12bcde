//! What became of commands, as an operator sees it: without what they said, which the inbox does not keep.

use domain::{Refusal, Timestamp, Version};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::types::Uuid;

use crate::error::ReadError;
use crate::inbox::{CommandKey, Recorded};
use crate::store::Store;
use crate::stored::{Stored, StoredTime};

/// A statement that reads commands of a tenant, `$1`: sqlx checks literals only.
macro_rules! processed {
    ($which:tt, $($value:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"
            SELECT source, command_id AS id, outcome AS "outcome: Stored<Recorded>",
                processed_at AS "processed_at: StoredTime"
            FROM inbox
            WHERE tenant = $1 AND "# + $which,
            $($value),*
        )
    };
}

/// An operator's way to the inbox.
#[derive(Clone, Debug)]
pub struct ProcessedCommands {
    store: Store,
}

/// A command that was processed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProcessedCommand {
    /// Who sent it.
    pub source: String,
    /// Its identifier there.
    pub id: String,
    /// What became of it; none if what is stored cannot be read.
    pub result: Option<ProcessedResult>,
    /// When; none if what is stored is no time.
    #[serde(serialize_with = "domain::time::serialize_option")]
    pub processed_at: Option<Timestamp>,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProcessedResult {
    /// It took effect, or the task was so already: the task's version after it.
    Applied(Version),
    /// It was refused and changed nothing.
    Refused(Refusal),
    /// It deleted an attachment.
    Deleted,
}

impl ProcessedCommands {
    /// By `store`, which must have logged in as a member of `task_app_operator`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// What became of commands of a tenant, for each of `keys`; none if it was not processed, or is not
    /// remembered any more.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn find(
        &self,
        tenant: &str,
        keys: &[CommandKey],
    ) -> Result<Vec<Option<ProcessedCommand>>, ReadError> {
        let (sources, ids): (Vec<_>, Vec<_>) =
            keys.iter().map(|key| (key.source.clone(), key.id.clone())).unzip();
        let found = processed!(
            "(source, command_id) IN (SELECT * FROM unnest($2::text[], $3::text[]))",
            tenant,
            &sources,
            &ids,
        )
        .fetch_all(&self.store.pool)
        .await?;
        let found: Vec<ProcessedCommand> = found.into_iter().map(Into::into).collect();
        let of = |key: &CommandKey| {
            found.iter().find(|one| one.source == key.source && one.id == key.id).cloned()
        };
        Ok(keys.iter().map(of).collect())
    }

    /// The commands of a task that were refused since a time, the oldest first: `limit` at most.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn refused_since(
        &self,
        tenant: &str,
        task: Uuid,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<ProcessedCommand>, ReadError> {
        let refused = processed!(
            "task_id = $2 AND processed_at >= $3 AND outcome ? 'refused'
            ORDER BY processed_at, source, command_id
            LIMIT $4",
            tenant,
            task,
            since,
            i64::from(limit),
        )
        .fetch_all(&self.store.pool)
        .await?;
        Ok(refused.into_iter().map(Into::into).collect())
    }
}

struct Row {
    source: String,
    id: String,
    outcome: Stored<Recorded>,
    processed_at: StoredTime,
}

impl From<Row> for ProcessedCommand {
    fn from(Row { source, id, outcome, processed_at }: Row) -> Self {
        let result = outcome.0.ok().map(|recorded| match recorded {
            Recorded::Applied { version } => ProcessedResult::Applied(version),
            Recorded::Refused(refusal) => ProcessedResult::Refused(refusal),
            Recorded::Deleted => ProcessedResult::Deleted,
        });
        Self { source, id, result, processed_at: processed_at.0 }
    }
}
