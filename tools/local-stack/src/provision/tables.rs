//! Tables of `DynamoDB`.

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, Projection, ProjectionType, ScalarAttributeType,
    SseSpecification, SseType, TimeToLiveSpecification,
};
use resources::{Attribute, AttributeType, Index, Table, TableEncryption};

/// Creates the described table under `name`, unless there is one; its key cannot be changed.
pub async fn create_table(aws: &SdkConfig, described: &Table, name: &str) -> Result<()> {
    let client = Client::new(aws);
    create(&client, described, name).await.with_context(|| format!("creating the table {name}"))?;
    if let Some(attribute) = &described.time_to_live_attribute {
        expire(&client, name, attribute)
            .await
            .with_context(|| format!("having items of the table {name} expire"))?;
    }
    let recovery = PointInTimeRecoverySpecification::builder();
    let recovery =
        recovery.point_in_time_recovery_enabled(described.point_in_time_recovery).build()?;
    let request = client.update_continuous_backups().table_name(name);
    let request = request.point_in_time_recovery_specification(recovery);
    request.send().await.with_context(|| format!("backing up the table {name}"))?;
    Ok(())
}

async fn create(client: &Client, described: &Table, name: &str) -> Result<()> {
    let indexes = described.indexes.iter().map(index).collect::<Result<Vec<_>>>()?;
    let mut keys = vec![key(&described.partition_key, KeyType::Hash)?];
    if let Some(attribute) = &described.sort_key {
        keys.push(key(attribute, KeyType::Range)?);
    }
    let attributes = std::iter::once(&described.partition_key)
        .chain(&described.sort_key)
        .chain(described.indexes.iter().map(|index| &index.partition_key));
    let request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(keys))
        .set_attribute_definitions(Some(attributes.map(definition).collect::<Result<_>>()?))
        .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
        .sse_specification(encryption(described.encryption));
    match request.send().await.map_err(SdkError::into_service_error) {
        Ok(_) | Err(CreateTableError::ResourceInUseException(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn expire(client: &Client, name: &str, attribute: &str) -> Result<()> {
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(attribute).build()?;
    let request = client.update_time_to_live().table_name(name).time_to_live_specification(ttl);
    match request.send().await {
        Ok(_) => Ok(()),
        // What it is set to already, DynamoDB does not set again.
        Err(error) if error.code() == Some("ValidationException") => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn encryption(encryption: TableEncryption) -> SseSpecification {
    match encryption {
        TableEncryption::AwsManagedKms => {
            SseSpecification::builder().enabled(true).sse_type(SseType::Kms).build()
        }
    }
}

fn index(index: &Index) -> Result<GlobalSecondaryIndex> {
    let all = Projection::builder().projection_type(ProjectionType::All).build();
    let described = GlobalSecondaryIndex::builder()
        .index_name(&index.name)
        .key_schema(key(&index.partition_key, KeyType::Hash)?)
        .projection(all);
    Ok(described.build()?)
}

fn definition(attribute: &Attribute) -> Result<AttributeDefinition> {
    let kind = match attribute.r#type {
        AttributeType::S => ScalarAttributeType::S,
        AttributeType::N => ScalarAttributeType::N,
    };
    let definition = AttributeDefinition::builder().attribute_name(&attribute.name);
    Ok(definition.attribute_type(kind).build()?)
}

fn key(attribute: &Attribute, role: KeyType) -> Result<KeySchemaElement> {
    let key = KeySchemaElement::builder().attribute_name(&attribute.name).key_type(role);
    Ok(key.build()?)
}
