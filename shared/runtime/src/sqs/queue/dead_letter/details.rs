//! What a dead letter says in JSON, and the attributes that find room nowhere else.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::MessageAttributeValue;
use chrono::{DateTime, Utc};
use messages::Attribute;
use serde::Serialize;

use crate::{
    clock::rfc3339,
    sqs::{Delivery, queue::attributes::QueueAttributes},
};

/// Where and when a batch's messages were rejected.
pub(crate) struct Rejection<'a> {
    pub(crate) queue: &'a QueueAttributes,
    pub(crate) handler: &'a str,
    pub(crate) at: DateTime<Utc>,
}

#[derive(Serialize)]
pub(super) struct Details<'a> {
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handler: Option<&'a str>,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_received_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<String>,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'a str, Attribute>,
}

impl<'a> Details<'a> {
    /// Of a short one no more than a replay needs.
    pub(super) fn new(
        delivery: &'a Delivery,
        rejection: &'a Rejection<'_>,
        reason: &'a str,
        detail: &'a str,
        spilled: &[(&'a String, &'a MessageAttributeValue)],
        full: bool,
    ) -> Self {
        let trace_id = delivery.sender().map(|sender| sender.trace_id().to_string());
        Self {
            reason,
            detail: full.then_some(detail),
            handler: full.then_some(rejection.handler),
            attempts: delivery.attempt(),
            first_received_at: delivery.first_received_at().filter(|_| full).map(rfc3339),
            failed_at: full.then(|| rfc3339(rejection.at)),
            message_id: delivery.message_id(),
            trace_id: trace_id.filter(|_| full),
            queue: full.then_some(&rejection.queue.arn),
            group_id: delivery.group_id().filter(|_| full),
            attributes: spilled
                .iter()
                .map(|(name, value)| (name.as_str(), (*value).into()))
                .collect(),
        }
    }
}
