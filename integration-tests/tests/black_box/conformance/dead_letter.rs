//! A dead letter, taken apart; whatever cannot be the same twice is checked for its shape.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::DateTime;
use serde_json::Value;
use uuid::Uuid;

use super::fixture::Sent;
use super::host::NAME;

/// What an operator reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dead {
    pub(crate) body: String,
    pub(crate) reason: String,
    pub(crate) detail: String,
    pub(crate) attempts: u64,
    pub(crate) trace_id: Option<String>,
    /// The sender's, wherever they are now; a binary one in Base64.
    pub(crate) attributes: BTreeMap<String, String>,
    /// Of a FIFO queue.
    pub(crate) group: Option<String>,
}

impl Dead {
    /// What must become of a message.
    pub(crate) fn of(sent: &Sent, reason: &str, detail: &str, attempts: u64) -> Self {
        Self {
            body: sent.body.clone(),
            reason: reason.to_owned(),
            detail: detail.to_owned(),
            attempts,
            trace_id: None,
            attributes: text(&sent.attributes),
            group: Some(sent.group.clone()),
        }
    }

    /// Takes one apart.
    pub(crate) fn read(message: &Message) -> Self {
        let mut attributes = text(message.message_attributes().expect("attributes"));
        assert!(attributes.len() <= 10, "as many as SQS allows: {attributes:?}");
        let reason = attributes.remove("DeadLetterReason").expect("a reason");
        let report = attributes.remove("DeadLetter").expect("a report");
        let report: Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(report["reason"], *reason);
        check_shape(&report);
        for (name, value) in report["attributes"].as_object().into_iter().flatten() {
            let value = value["value"].as_str().expect("a text").to_owned();
            attributes.insert(name.clone(), value);
        }
        let group = message
            .attributes()
            .and_then(|all| all.get(&MessageSystemAttributeName::MessageGroupId).cloned());
        assert_eq!(report["group_id"].as_str(), group.as_deref());
        Self {
            body: message.body().expect("a body").to_owned(),
            reason,
            detail: report["detail"].as_str().expect("a text").to_owned(),
            attempts: report["attempts"].as_u64().expect("a number"),
            trace_id: report["trace_id"].as_str().map(str::to_owned),
            attributes,
            group,
        }
    }
}

fn text(attributes: &HashMap<String, MessageAttributeValue>) -> BTreeMap<String, String> {
    let text = attributes.iter().map(|(name, value)| {
        let binary = || BASE64_STANDARD.encode(value.binary_value().expect("a value"));
        (name.clone(), value.string_value().map_or_else(binary, str::to_owned))
    });
    text.collect()
}

fn check_shape(report: &Value) {
    assert_eq!(report["handler"], NAME);
    assert!(
        report["queue"].as_str().is_some_and(|arn| arn.starts_with("arn:aws:sqs:")),
        "{report}"
    );
    let id = report["message_id"].as_str().expect("an id");
    assert!(Uuid::parse_str(id).is_ok(), "{id}");
    let time = |name: &str| {
        DateTime::parse_from_rfc3339(report[name].as_str().expect("a time")).expect("a time")
    };
    assert!(time("first_received_at") <= time("failed_at"), "{report}");
}
