//! A message attribute, as it is shown: a binary value is in Base64.

use aws_sdk_sqs::types::MessageAttributeValue;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attribute {
    /// `String`, `Number` or `Binary`, perhaps with a label of the sender's behind a dot.
    #[serde(rename = "type")]
    pub(crate) data_type: String,
    pub(crate) value: String,
}

impl Attribute {
    /// Its text; `None` if it is binary.
    pub(crate) fn text(&self) -> Option<&str> {
        (!self.data_type.starts_with("Binary")).then_some(&self.value)
    }
}

impl From<&MessageAttributeValue> for Attribute {
    fn from(value: &MessageAttributeValue) -> Self {
        let binary = || value.binary_value().map(|bytes| BASE64_STANDARD.encode(bytes));
        let text = value.string_value().map(str::to_owned).or_else(binary);
        Self { data_type: value.data_type().to_owned(), value: text.unwrap_or_default() }
    }
}
