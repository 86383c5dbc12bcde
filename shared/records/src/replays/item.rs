//! Runs and messages as DynamoDB keeps them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, BatchStatementRequest};
use chrono::{DateTime, Duration, Utc};
use domain::time::rfc3339;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::run::{Message, Run};
use crate::statements::{EXPIRES_AT, Failure, Statement, unavailable};

/// The table's partition key: a run's id, or [`RUNS`].
pub(super) const RUN: &str = "run";
/// The table's sort key: a message's id, or, of [`RUNS`], a run's.
const MESSAGE: &str = "message";
/// The key of the index of messages that were sent.
const SENT_ID: &str = "sent_id";
/// The partition of the runs themselves.
pub(super) const RUNS: &str = "runs";
/// For how long a ledger is kept.
const TIME_TO_LIVE: Duration = Duration::days(400);

pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(super) fn key(run: &str, message: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([(RUN.to_owned(), text(run)), (MESSAGE.to_owned(), text(message))])
}

pub(super) fn to_item(
    run: &Run,
    holder: &str,
    until: DateTime<Utc>,
) -> Result<HashMap<String, AttributeValue>, Failure> {
    let mut item = key(RUNS, &run.run);
    item.insert("data".to_owned(), text(&json(run)?));
    item.insert("holder".to_owned(), text(holder));
    item.insert("held_until".to_owned(), text(&rfc3339(until)));
    item.insert(EXPIRES_AT.to_owned(), expires_at(run.started_at));
    Ok(item)
}

pub(super) fn held_until(item: &HashMap<String, AttributeValue>) -> Option<DateTime<Utc>> {
    item.get("held_until")?.as_s().ok()?.parse().ok()
}

/// Writes a message that is not there.
pub(super) fn insert(table: &str, run: &str, message: &Message) -> Result<Statement, Failure> {
    let statement = format!(
        r#"INSERT INTO "{table}" VALUE {{'{RUN}': ?, '{MESSAGE}': ?, 'data': ?, '{EXPIRES_AT}': ?}}"#
    );
    let values =
        [text(run), text(&message.message_id), text(&json(message)?), expires_at(message.at)];
    to_statement(run, message, statement, values.into())
}

/// Writes a message that is there.
pub(super) fn update(table: &str, run: &str, message: &Message) -> Result<Statement, Failure> {
    let mut values = vec![text(&json(message)?)];
    let sent_id = message.sent_id.as_ref().map(|sent_id| {
        values.push(text(sent_id));
        format!(" SET {SENT_ID} = ?")
    });
    values.extend([text(run), text(&message.message_id)]);
    let statement = format!(
        r#"UPDATE "{table}" SET "data" = ?{} WHERE "{RUN}" = ? AND {MESSAGE} = ?"#,
        sent_id.unwrap_or_default()
    );
    to_statement(run, message, statement, values)
}

fn to_statement(
    run: &str,
    message: &Message,
    statement: String,
    values: Vec<AttributeValue>,
) -> Result<Statement, Failure> {
    let request = BatchStatementRequest::builder().statement(statement);
    let request = request.set_parameters(Some(values)).build().map_err(unavailable)?;
    Ok(Statement { item: format!("{run}/{}", message.message_id), request })
}

pub(super) fn read<T: DeserializeOwned>(
    item: &HashMap<String, AttributeValue>,
) -> Result<T, Failure> {
    let data = item.get("data").and_then(|data| data.as_s().ok()).ok_or_else(unreadable)?;
    serde_json::from_str(data).map_err(|_| unreadable())
}

pub(super) fn unreadable() -> Failure {
    Failure::Refused("an item of the ledger is not ours".to_owned())
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::Refused(error.to_string()))
}

fn expires_at(since: DateTime<Utc>) -> AttributeValue {
    AttributeValue::N((since + TIME_TO_LIVE).timestamp().to_string())
}
