//! What the tables look like, for whoever creates them: `local-stack` and the tests.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TimeToLiveSpecification,
};

use crate::statements::{Failure, unavailable};

/// The name of the table of [`History`](crate::History), by default.
pub const HISTORY_TABLE: &str = "task-history";
/// The name of the table of [`Operations`](crate::Operations), by default.
pub const OPERATIONS_TABLE: &str = "task-operations";

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
    create(&Client::new(aws), name, &keys).await
}

/// Creates the table of [`Operations`](crate::Operations), unless it exists.
///
/// # Errors
/// When DynamoDB does not answer, or refuses.
pub async fn create_operations(aws: &SdkConfig, name: &str) -> Result<(), Failure> {
    let client = Client::new(aws);
    create(&client, name, &[("operation", ScalarAttributeType::S, KeyType::Hash)]).await?;
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

async fn create(client: &Client, name: &str, keys: &[Key]) -> Result<(), Failure> {
    let mut request =
        client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, kind, role) in keys {
        let definition = AttributeDefinition::builder()
            .attribute_name(*attribute)
            .attribute_type(kind.clone())
            .build();
        let key =
            KeySchemaElement::builder().attribute_name(*attribute).key_type(role.clone()).build();
        request = request
            .attribute_definitions(definition.map_err(unavailable)?)
            .key_schema(key.map_err(unavailable)?);
    }
    match request.send().await.map_err(SdkError::into_service_error) {
        Ok(_) | Err(CreateTableError::ResourceInUseException(_)) => Ok(()),
        Err(error) => Err(unavailable(error)),
    }
}
