//! An operation as `DynamoDB` keeps it.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::time::rfc3339;
use domain::{Actor, TenantId, Timestamp};

use crate::operation::{Ending, Operation, State};
use crate::operation_id::OperationId;
use crate::statements::EXPIRES_AT;

/// An item of the table.
pub(crate) struct Item(pub(crate) HashMap<String, AttributeValue>);

/// The item of an operation that was just accepted.
pub(crate) fn to_item(
    tenant: &TenantId,
    caller: &Actor,
    operation: &Operation,
    fingerprint: &[u8],
    expires_at: i64,
) -> HashMap<String, AttributeValue> {
    let text = |text: String| AttributeValue::S(text);
    HashMap::from([
        ("operation".to_owned(), text(operation.id.key(tenant))),
        ("caller".to_owned(), text(caller.to_string())),
        ("task".to_owned(), text(operation.task.to_string())),
        ("fingerprint".to_owned(), AttributeValue::B(Blob::new(fingerprint))),
        ("accepted_at".to_owned(), text(rfc3339(operation.accepted_at))),
        (EXPIRES_AT.to_owned(), AttributeValue::N(expires_at.to_string())),
    ])
}

impl Item {
    /// The operation; `None` if the item is none.
    pub(crate) fn operation(&self, id: OperationId, now: Timestamp) -> Option<Operation> {
        let state = match self.text("ending") {
            Some(ending) => State::Ended(serde_json::from_str::<Ending>(ending).ok()?),
            None if self.is_past("last_delivery_until", now) => State::DeadLettered,
            None => State::Accepted,
        };
        Some(Operation {
            id,
            task: self.text("task")?.parse().ok()?,
            accepted_at: self.text("accepted_at")?.parse().ok()?,
            state,
        })
    }

    /// A digest of its request.
    pub(crate) fn fingerprint(&self) -> Option<&[u8]> {
        match self.0.get("fingerprint") {
            Some(AttributeValue::B(digest)) => Some(digest.as_ref()),
            _ => None,
        }
    }

    /// Whose it is, if that was recorded.
    pub(crate) fn caller(&self) -> Option<&str> {
        self.text("caller")
    }

    /// Whether it has expired: `DynamoDB` itself may take days to notice.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.is_past(EXPIRES_AT, now)
    }

    fn is_past(&self, name: &str, now: Timestamp) -> bool {
        let time = match self.0.get(name) {
            Some(AttributeValue::N(number)) => number.parse::<i64>().ok(),
            _ => None,
        };
        time.is_some_and(|time| time <= now.timestamp())
    }

    fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(AttributeValue::S(text)) => Some(text),
            _ => None,
        }
    }
}
