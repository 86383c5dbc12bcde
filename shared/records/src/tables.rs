//! What the tables look like, for whoever creates them: `local-stack` and the tests.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};

use crate::replays::{MESSAGE, RUN, SENT_ID, SENT_INDEX};
use crate::statements::{Failure, unavailable};

/// The name of the table of [`History`](crate::History), by default.
pub const HISTORY_TABLE: &str = "task-history";
/// The name of the table of [`Operations`](crate::Operations), by default.
pub const OPERATIONS_TABLE: &str = "task-operations";

/// The name of the table of [`Replays`](crate::replays::Replays), by default.
pub const REPLAYS_TABLE: &str = "task-replays";

/// A key attribute: its name, type and place in the key.
type Key = (&'static str, ScalarAttributeType, KeyType);

/// Creates the table of [`History`](crate::History), unless it exists.
///
/// # Errors
/// When DynamoDB does not answer, or refuses.
pub async fn create_history(aws: &SdkConfig, name: &str) -> Result<(), Failure> {
    let keys = [
        ("task", ScalarAttributeType::S, KeyType::Hash),
        ("version", ScalarAttributeType::N, KeyType::Range),
    ];
    create(&Client::new(aws), name, &keys, None).await
}

/// Creates the table of [`Operations`](crate::Operations), unless it exists.
///
/// # Errors
/// When DynamoDB does not answer, or refuses.
pub async fn create_operations(aws: &SdkConfig, name: &str) -> Result<(), Failure> {
    let client = Client::new(aws);
    create(&client, name, &[("operation", ScalarAttributeType::S, KeyType::Hash)], None).await?;
    expire(&client, name).await
}

/// Creates the table of [`Replays`](crate::replays::Replays), unless it exists.
///
/// # Errors
/// When DynamoDB does not answer, or refuses.
pub async fn create_replays(aws: &SdkConfig, name: &str) -> Result<(), Failure> {
    let client = Client::new(aws);
    let keys = [
        (RUN, ScalarAttributeType::S, KeyType::Hash),
        (MESSAGE, ScalarAttributeType::S, KeyType::Range),
    ];
    create(&client, name, &keys, Some((SENT_INDEX, SENT_ID))).await?;
    expire(&client, name).await
}

async fn expire(client: &Client, name: &str) -> Result<(), Failure> {
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name("expires_at").build();
    let request = client
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(ttl.map_err(unavailable)?);
    match request.send().await {
        Ok(_) => Ok(()),
        // What it is set to already, DynamoDB does not set again.
        Err(error) if error.code() == Some("ValidationException") => Ok(()),
        Err(error) => Err(unavailable(error)),
    }
}

/// With an index of a name and a text attribute, if one is wanted.
async fn create(
    client: &Client,
    name: &str,
    keys: &[Key],
    index: Option<(&str, &str)>,
) -> Result<(), Failure> {
    let mut request =
        client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, kind, role) in keys {
        request = request
            .attribute_definitions(definition(attribute, kind.clone())?)
            .key_schema(key(attribute, role.clone())?);
    }
    if let Some((index, attribute)) = index {
        let all = Projection::builder().projection_type(ProjectionType::All).build();
        let index = GlobalSecondaryIndex::builder()
            .index_name(index)
            .key_schema(key(attribute, KeyType::Hash)?)
            .projection(all);
        request = request
            .attribute_definitions(definition(attribute, ScalarAttributeType::S)?)
            .global_secondary_indexes(index.build().map_err(unavailable)?);
    }
    match request.send().await.map_err(SdkError::into_service_error) {
        Ok(_) | Err(CreateTableError::ResourceInUseException(_)) => Ok(()),
        Err(error) => Err(unavailable(error)),
    }
}

fn definition(attribute: &str, kind: ScalarAttributeType) -> Result<AttributeDefinition, Failure> {
    let definition = AttributeDefinition::builder().attribute_name(attribute).attribute_type(kind);
    definition.build().map_err(unavailable)
}

fn key(attribute: &str, role: KeyType) -> Result<KeySchemaElement, Failure> {
    let key = KeySchemaElement::builder().attribute_name(attribute).key_type(role);
    key.build().map_err(unavailable)
}
