//! The tables of the account.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    KeySchemaElement, KeyType, PointInTimeRecoveryStatus, Projection, ProjectionType, SseStatus,
    SseType, TableDescription, TimeToLiveStatus,
};
use serde_json::{Value, json};

use super::{ByName, named, present};

/// All tables.
pub(super) async fn created(dynamodb: &Client) -> ByName {
    let mut all = ByName::new();
    let listed = dynamodb.list_tables().send().await.expect("tables");
    for name in listed.table_names() {
        let (name, table) = named(described(dynamodb, name).await);
        all.insert(name, table);
    }
    all
}

async fn described(dynamodb: &Client, name: &str) -> Value {
    let answer = dynamodb.describe_table().table_name(name).send().await.expect("an answer");
    let table = answer.table.expect("a table");
    let indexes: Vec<_> = table
        .global_secondary_indexes()
        .iter()
        .map(|index| {
            let projection = index.projection().and_then(Projection::projection_type);
            assert_eq!(projection.map(ProjectionType::as_str), Some("ALL"));
            let key = key(&table, index.key_schema(), &KeyType::Hash);
            json!({"name": index.index_name(), "partitionKey": key})
        })
        .collect();
    let sse = table.sse_description().filter(|sse| {
        sse.status() == Some(&SseStatus::Enabled) && sse.sse_type() == Some(&SseType::Kms)
    });
    present(&json!({
        "name": name,
        "partitionKey": key(&table, table.key_schema(), &KeyType::Hash),
        "sortKey": key(&table, table.key_schema(), &KeyType::Range),
        "indexes": (!indexes.is_empty()).then_some(indexes),
        "timeToLiveAttribute": time_to_live(dynamodb, name).await,
        "pointInTimeRecovery": point_in_time_recovery(dynamodb, name).await,
        "encryption": sse.map(|_| "AWS-managed-KMS"),
    }))
    .into()
}

fn key(table: &TableDescription, keys: &[KeySchemaElement], role: &KeyType) -> Option<Value> {
    let name = keys.iter().find(|key| key.key_type() == role)?.attribute_name();
    let mut attributes = table.attribute_definitions().iter();
    let attribute = attributes.find(|attribute| attribute.attribute_name() == name);
    Some(json!({"name": name, "type": attribute.expect("a type").attribute_type().as_str()}))
}

async fn time_to_live(dynamodb: &Client, name: &str) -> Option<String> {
    let request = dynamodb.describe_time_to_live().table_name(name);
    let answer = request.send().await.expect("an answer");
    let described = answer.time_to_live_description.expect("a description");
    let enabled = described.time_to_live_status == Some(TimeToLiveStatus::Enabled);
    described.attribute_name.filter(|_| enabled)
}

async fn point_in_time_recovery(dynamodb: &Client, name: &str) -> bool {
    let request = dynamodb.describe_continuous_backups().table_name(name);
    let answer = request.send().await.expect("an answer");
    let described = answer.continuous_backups_description.expect("a description");
    let recovery = described.point_in_time_recovery_description.expect("a description");
    recovery.point_in_time_recovery_status == Some(PointInTimeRecoveryStatus::Enabled)
}
