//! Tables, in the words of `DynamoDB`.

use serde::Deserialize;

/// The tables.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tables {
    /// Every version that a task ever had.
    pub history: Table,
    /// What became of writes that were accepted to be applied later.
    pub operations: Table,
    /// The ledger of replays of dead letters.
    pub replays: Table,
}

/// A table.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// What it is for, in one line.
    pub purpose: String,
    /// Its partition key.
    pub partition_key: Attribute,
    /// Its sort key, if it has one.
    pub sort_key: Option<Attribute>,
    /// Its global secondary indexes. Each has all attributes of the items.
    #[serde(default)]
    pub indexes: Vec<Index>,
    /// The attribute with the second, since 1970, after which `DynamoDB` deletes an item.
    pub time_to_live_attribute: Option<String>,
    /// Whether it can be restored as it was at any second of the last 35 days.
    pub point_in_time_recovery: bool,
    /// Who holds the key that its items are encrypted with.
    pub encryption: TableEncryption,
}

/// An attribute of a key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type.
    pub r#type: AttributeType,
}

/// The type of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum AttributeType {
    /// Text.
    S,
    /// A number.
    N,
}

/// A global secondary index.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its partition key.
    pub partition_key: Attribute,
}

/// Who holds the key that items are encrypted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum TableEncryption {
    /// KMS: the key `aws/dynamodb`, which AWS manages in this account.
    #[serde(rename = "AWS-managed-KMS")]
    AwsManagedKms,
}

impl Tables {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> [&Table; 3] {
        [&self.history, &self.operations, &self.replays]
    }
}
