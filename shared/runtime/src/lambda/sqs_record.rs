//! A record of an SQS event: what a receive answers, spelled otherwise.

use std::collections::HashMap;

use anyhow::Context as _;
use aws_sdk_sqs::{
    primitives::Blob,
    types::{Message, MessageAttributeValue, MessageSystemAttributeName},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    message_id: String,
    receipt_handle: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    attributes: HashMap<String, String>,
    #[serde(default)]
    message_attributes: HashMap<String, RawAttribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAttribute {
    data_type: String,
    string_value: Option<String>,
    /// In Base64.
    binary_value: Option<String>,
}

/// The message as a receive would have answered it.
pub(super) fn message(record: Value) -> anyhow::Result<Message> {
    let raw: Raw = serde_json::from_value(record)?;
    let system =
        |(name, value): (String, String)| (MessageSystemAttributeName::from(name.as_str()), value);
    let attributes = raw.message_attributes.into_iter();
    let attributes: anyhow::Result<_> =
        attributes.map(|(name, value)| Ok((name, attribute(value)?))).collect();
    Ok(Message::builder()
        .message_id(raw.message_id)
        .receipt_handle(raw.receipt_handle)
        .body(raw.body)
        .set_attributes(Some(raw.attributes.into_iter().map(system).collect()))
        .set_message_attributes(Some(attributes?))
        .build())
}

fn attribute(raw: RawAttribute) -> anyhow::Result<MessageAttributeValue> {
    let decode = |value: String| BASE64_STANDARD.decode(value).map(Blob::new);
    let binary = raw.binary_value.map(decode).transpose().context("a binary value")?;
    let value = MessageAttributeValue::builder()
        .data_type(raw.data_type)
        .set_string_value(raw.string_value)
        .set_binary_value(binary);
    Ok(value.build()?)
}
