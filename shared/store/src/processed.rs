//! What became of commands, as an operator sees it: without what they said, which the inbox does not keep.

use std::collections::HashMap;

use domain::{Actor, Refusal, Timestamp, Version};
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
            SELECT source, command_id AS id, caller, outcome AS "outcome: Stored<Recorded>",
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

/// A command that is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// What identifies it. Of a request over HTTP: the key that its caller chose.
    pub key: CommandKey,
    /// The caller whose request it is, if it comes from the HTTP API.
    pub caller: Option<Actor>,
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

    /// What became of commands of a tenant, for each of `sought`; none if it was not processed, or is not
    /// remembered any more. A request that another caller sent under the same key is another one.
    ///
    /// # Errors
    /// When PostgreSQL does not answer.
    pub async fn find(
        &self,
        tenant: &str,
        sought: &[Sought],
    ) -> Result<Vec<Option<ProcessedCommand>>, ReadError> {
        let keys = sought.iter().flat_map(|one| [Some(one.key.clone()), one.own_key()]);
        let (sources, ids): (Vec<_>, Vec<_>) =
            keys.flatten().map(|key| (key.source, key.id)).unzip();
        let found = processed!(
            "(source, command_id) IN (SELECT * FROM unnest($2::text[], $3::text[]))",
            tenant,
            &sources,
            &ids,
        )
        .fetch_all(&self.store.pool)
        .await?;
        let found: HashMap<_, _> = found
            .into_iter()
            .map(|mut row| {
                let key = CommandKey { source: row.source.clone(), id: row.id.clone() };
                (key, (row.caller.take(), ProcessedCommand::from(row)))
            })
            .collect();
        Ok(sought.iter().map(|one| one.among(&found).cloned()).collect())
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

impl Sought {
    fn own_key(&self) -> Option<CommandKey> {
        let id = self.caller.as_ref()?.own_key(&self.key.id);
        Some(CommandKey { source: self.key.source.clone(), id })
    }

    /// Under its caller's own key, or under the one that it chose if no other caller has that.
    fn among<'a>(
        &self,
        found: &'a HashMap<CommandKey, (Option<String>, ProcessedCommand)>,
    ) -> Option<&'a ProcessedCommand> {
        if let Some((_, own)) = self.own_key().and_then(|own| found.get(&own)) {
            return Some(own);
        }
        let (caller, processed) = found.get(&self.key)?;
        let is_anothers = match (caller, &self.caller) {
            (Some(theirs), Some(ours)) => theirs != ours.as_str(),
            _ => false,
        };
        (!is_anothers).then_some(processed)
    }
}

struct Row {
    source: String,
    id: String,
    caller: Option<String>,
    outcome: Stored<Recorded>,
    processed_at: StoredTime,
}

impl From<Row> for ProcessedCommand {
    fn from(Row { source, id, outcome, processed_at, .. }: Row) -> Self {
        let result = outcome.0.ok().map(|recorded| match recorded {
            Recorded::Applied { version } => ProcessedResult::Applied(version),
            Recorded::Refused(refusal) => ProcessedResult::Refused(refusal),
            Recorded::Deleted => ProcessedResult::Deleted,
        });
        Self { source, id, result, processed_at: processed_at.0 }
    }
}
