//! A message attribute in JSON: so a dead letter keeps those that have no room beside ours, and so they
//! are shown.

use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::MessageAttributeValue;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A message attribute; a binary value is in Base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attribute {
    /// `String`, `Number` or `Binary`, perhaps with a label of the sender's behind a dot.
    #[serde(rename = "type")]
    pub data_type: String,
    /// The text, or the bytes in Base64.
    pub value: String,
}

impl Attribute {
    /// Its text; `None` if it is binary.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        (!self.is_binary()).then_some(&self.value)
    }

    /// As SQS takes it; `None` if it is not what it says.
    #[must_use]
    pub fn restored(&self) -> Option<MessageAttributeValue> {
        let value = MessageAttributeValue::builder().data_type(&self.data_type);
        let value = if self.is_binary() {
            value.binary_value(Blob::new(BASE64_STANDARD.decode(&self.value).ok()?))
        } else {
            value.string_value(&self.value)
        };
        value.build().ok()
    }

    fn is_binary(&self) -> bool {
        self.data_type.starts_with("Binary")
    }
}

impl From<&MessageAttributeValue> for Attribute {
    fn from(value: &MessageAttributeValue) -> Self {
        let binary = || value.binary_value().map(|bytes| BASE64_STANDARD.encode(bytes));
        let text = value.string_value().map(str::to_owned).or_else(binary);
        Self { data_type: value.data_type().to_owned(), value: text.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_as_it_was() {
        let value = MessageAttributeValue::builder;
        let text = value().data_type("String.label").string_value("ü");
        let bytes = value().data_type("Binary").binary_value(Blob::new([0, 255]));
        for (value, shown) in [(text, "ü"), (bytes, "AP8=")] {
            let value = value.build().unwrap();
            let attribute = Attribute::from(&value);
            assert_eq!(attribute.value, shown);
            assert_eq!(attribute.restored(), Some(value));
        }
    }

    #[test]
    fn what_is_no_base64_is_not_restored() {
        let attribute =
            |kind: &str| Attribute { data_type: kind.to_owned(), value: "%".to_owned() };
        assert_eq!(attribute("Binary").restored(), None);
        assert_eq!(attribute("Binary").text(), None);
        assert_eq!(attribute("String").text(), Some("%"));
    }
}
