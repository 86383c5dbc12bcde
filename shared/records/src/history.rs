//! Every version that a task ever had, in a table of (task, version).
//!
//! An entry is written once, on the condition that it is not there: a fact that is published again, or
//! that a slower consumer writes later, changes nothing.

use std::collections::HashMap;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, BatchStatementRequest};
use clap::Args;
use domain::time::rfc3339;
use domain::{Actor, Task, TaskId, TenantId, Timestamp, Version, limits, timestamp};
use resources::resources;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::available::unanswered;
use crate::statements::{Failure, Statement, all_succeed, execute, unavailable};

/// Where the history is.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "History")]
#[group(skip)]
pub struct Config {
    /// `DynamoDB` table of the tasks' history; `shared/resources/resources.json` describes it
    #[arg(long, env, default_value = resources().tables.history.name.as_str())]
    pub history_table: String,
}

/// The history of tasks. Clones share one client.
#[derive(Clone, Debug)]
pub struct History {
    client: Client,
    table: Arc<str>,
}

/// A task as one command left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The `type` of its fact.
    pub kind: &'static str,
    /// When the command was applied.
    pub time: Timestamp,
    /// Who sent the command, if that was recorded.
    pub actor: Option<Actor>,
    /// The task as it was left; its tenant, identifier and version are the entry's key.
    pub task: Box<Task>,
}

/// One entry of a task's history.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "HistoryEntry")]
pub struct Entry {
    /// The task's version after the change.
    pub version: Version,
    /// The `type` of its fact.
    pub r#type: String,
    /// When the command was applied, as RFC 3339 has it.
    #[serde(serialize_with = "domain::time::serialize")]
    pub time: Timestamp,
    /// Who sent the command: the identifier of a caller of the API as its issuer has it, or the `source` of
    /// a producer. Older entries have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Actor>")]
    pub actor: Option<String>,
    /// The task as it was left.
    #[schemars(with = "Task")]
    pub task: Box<RawValue>,
}

/// Some of a task's history, the newest first.
#[derive(Debug)]
pub struct HistoryPage {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The versions whose entries cannot be read.
    pub unreadable: Vec<Version>,
    /// Before which version the next page begins, if there is one.
    pub next: Option<Version>,
}

impl History {
    /// A history that connects when it is first used.
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> Self {
        Self { client: Client::new(aws), table: config.history_table.into() }
    }

    /// Writes entries; one answer each, in order. One that is there already is a success. Takes ten
    /// seconds more than its requests at most, for entries that `DynamoDB` throttles.
    pub async fn append(&self, changes: &[Change]) -> Vec<Result<(), Failure>> {
        let statements = changes.iter().map(|change| self.insert(change)).collect();
        all_succeed(execute(&self.client, statements).await)
    }

    /// Checks that `DynamoDB` answers, by getting an entry that is not there; `dynamodb:GetItem` makes
    /// it see a fault of the table, too.
    ///
    /// # Errors
    /// When `DynamoDB` does not answer.
    pub fn check(&self) -> impl Future<Output = Result<(), Failure>> + use<> {
        let request = self.client.get_item().table_name(&*self.table);
        let request = request.key("task", AttributeValue::S("none".to_owned()));
        let request = request.key("version", AttributeValue::N("0".to_owned()));
        async move {
            let unanswered = request.send().await.err().as_ref().and_then(unanswered);
            unanswered.map_or(Ok(()), |cause| Err(Failure::Unavailable(cause)))
        }
    }

    fn insert(&self, change: &Change) -> Result<Statement, Failure> {
        let task = &change.task;
        let json =
            serde_json::to_string(task).map_err(|error| Failure::Refused(error.to_string()))?;
        let (key, version) = (key(&task.tenant, task.id), task.version.to_string());
        let item = format!("{key}/{version}");
        let actor = change.actor.as_ref().map(|actor| AttributeValue::S(actor.to_string()));
        let more = if actor.is_some() { ", 'actor': ?" } else { "" };
        let mut request = BatchStatementRequest::builder()
            .statement(format!(
                r#"INSERT INTO "{}" VALUE {{'task': ?, 'version': ?, 'type': ?, 'time': ?, 'data': ?{more}}}"#,
                self.table
            ))
            .parameters(AttributeValue::S(key))
            .parameters(AttributeValue::N(version))
            .parameters(AttributeValue::S(change.kind.to_owned()))
            .parameters(AttributeValue::S(rfc3339(change.time)))
            .parameters(AttributeValue::S(json));
        if let Some(actor) = actor {
            request = request.parameters(actor);
        }
        let request = request.build().map_err(unavailable)?;
        Ok(Statement { item, request })
    }

    /// At most `limit` entries of a task with versions before `before`, the newest first, and no more
    /// than [`limits::PAGE_BYTES_MAX`] of tasks, unless the first alone has more. An entry that cannot
    /// be read is named and logged; the others are answered.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub async fn page(
        &self,
        tenant: &TenantId,
        task: TaskId,
        limit: u16,
        before: Option<Version>,
    ) -> Result<HistoryPage, Failure> {
        let answer = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("task = :task AND version < :before")
            .expression_attribute_values(":task", AttributeValue::S(key(tenant, task)))
            .expression_attribute_values(
                ":before",
                AttributeValue::N(before.unwrap_or(Version::MAX).to_string()),
            )
            .scan_index_forward(false)
            .limit(limit.into())
            .send()
            .await
            .map_err(unavailable)?;
        let mut more = answer.last_evaluated_key.is_some();
        let (mut entries, mut unreadable, mut last) = (Vec::new(), Vec::new(), None);
        let mut left = limits::PAGE_BYTES_MAX;
        for item in answer.items.unwrap_or_default() {
            let rest = left.checked_sub(bytes(&item));
            if rest.is_none() && last.is_some() {
                more = true;
                break;
            }
            left = rest.unwrap_or(0);
            // A number is its table's key: every item has one.
            let version = number(&item, "version").unwrap_or_default();
            last = Some(version);
            if let Some(entry) = entry(version, item) {
                entries.push(entry);
            } else {
                tracing::error!(%task, version, "an entry of the history cannot be read");
                unreadable.push(version);
            }
        }
        Ok(HistoryPage { entries, unreadable, next: last.filter(|_| more) })
    }
}

/// The partition key of a task's entries. A tenant has no slash.
fn key(tenant: &TenantId, task: TaskId) -> String {
    format!("{tenant}/{task}")
}

fn number(item: &HashMap<String, AttributeValue>, name: &str) -> Option<Version> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// How many bytes of JSON the task of an entry has.
fn bytes(item: &HashMap<String, AttributeValue>) -> usize {
    item.get("data").and_then(|data| data.as_s().ok()).map_or(0, String::len)
}

fn entry(version: Version, mut item: HashMap<String, AttributeValue>) -> Option<Entry> {
    let mut text = |name: &str| match item.remove(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    };
    Some(Entry {
        version,
        r#type: text("type")?,
        time: timestamp(&text("time")?)?,
        actor: text("actor"),
        task: RawValue::from_string(text("data")?).ok()?,
    })
}
