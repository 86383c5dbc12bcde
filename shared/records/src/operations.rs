//! What became of writes that were accepted to be applied later.
//!
//! An operation is written before its command is sent, so that whoever applies it finds it. From then
//! on two things end it: its command's outcome, or the last delivery that its queue allows. That one
//! is announced before it begins; when its time is over and there is no outcome, the message is in the
//! dead-letter queue, whether the process failed or crashed. A replay still ends the operation.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementRequest, ReturnValuesOnConditionCheckFailure,
};
use clap::{Args, value_parser};
use domain::{Actor, TaskId, TenantId, Timestamp};
use resources::resources;

use crate::available::unanswered;
use crate::operation::{Ending, Operation, State};
use crate::operation_id::OperationId;
use crate::operation_item::{Item, to_item};
use crate::statements::{EXPIRES_AT, Failure, Statement, all_succeed, execute, unavailable};

/// Where operations are, and for how long.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Operations")]
#[group(skip)]
pub struct Config {
    /// `DynamoDB` table of operations; `shared/resources/resources.json` describes it
    #[arg(long, env, default_value = resources().tables.operations.name.as_str())]
    pub operations_table: String,

    /// Hours after which an operation expires
    #[arg(long, env, default_value_t = 24 * 7, value_parser = value_parser!(u32).range(1..=24 * 90))]
    pub operation_ttl_hours: u32,
}

/// The operations. Clones share one client.
#[derive(Clone, Debug)]
pub struct Operations {
    client: Client,
    table: Arc<str>,
    ttl_hours: u32,
}

/// What accepting came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// This is the operation: the new one, or the one that the same request made before.
    Operation {
        /// The operation.
        operation: Operation,
        /// Under which key it is: the caller's own, if the one that it chose is another caller's.
        key: String,
    },
    /// The key was used before, by another request.
    KeyReused,
}

/// The key came with another request before.
struct KeyReused;

impl Operations {
    /// Operations that connect when they are first used.
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> Self {
        Self {
            client: Client::new(aws),
            table: config.operations_table.into(),
            ttl_hours: config.operation_ttl_hours,
        }
    }

    /// Accepts the operation of `tenant` with the key `key`, unless `caller` used the key before. One that
    /// another caller uses is another key. `fingerprint` distinguishes a repeat of the request from another request.
    ///
    /// # Errors
    /// When `DynamoDB` does not answer.
    pub async fn accept(
        &self,
        tenant: &TenantId,
        (key, caller): (&str, &Actor),
        task: TaskId,
        fingerprint: &[u8],
        now: Timestamp,
    ) -> Result<Acceptance, Failure> {
        for key in [key.to_owned(), caller.own_key(key)] {
            let accepted = self.accept_as(tenant, (&key, caller), task, fingerprint, now).await?;
            match accepted {
                Some(Ok(operation)) => return Ok(Acceptance::Operation { operation, key }),
                Some(Err(KeyReused)) => return Ok(Acceptance::KeyReused),
                None => {}
            }
        }
        // Only a caller that computes another one's own key gets here.
        Ok(Acceptance::KeyReused)
    }

    /// `None`: the key is another caller's.
    async fn accept_as(
        &self,
        tenant: &TenantId,
        (key, caller): (&str, &Actor),
        task: TaskId,
        fingerprint: &[u8],
        now: Timestamp,
    ) -> Result<Option<Result<Operation, KeyReused>>, Failure> {
        let id = OperationId::of(tenant, key);
        let operation = Operation { id, task, accepted_at: now, state: State::Accepted };
        let expires_at = now.timestamp() + i64::from(self.ttl_hours) * 3600;
        let answer = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(to_item(tenant, caller, &operation, fingerprint, expires_at)))
            .condition_expression(format!(
                "attribute_not_exists(operation) OR {EXPIRES_AT} <= :now"
            ))
            .expression_attribute_values(":now", AttributeValue::N(now.timestamp().to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = answer else { return Ok(Some(Ok(operation))) };
        match error.into_service_error() {
            PutItemError::ConditionalCheckFailedException(failed) => {
                let item = Item(failed.item.unwrap_or_default());
                // One without a caller is from before they were recorded: it is whoever's shows its key.
                if item.caller().is_some_and(|other| other != caller.as_str()) {
                    return Ok(None);
                }
                let known = item.operation(operation.id, now).ok_or_else(unreadable)?;
                let same = item.fingerprint() == Some(fingerprint);
                Ok(Some(if same { Ok(known) } else { Err(KeyReused) }))
            }
            error => Err(unavailable(error)),
        }
    }

    /// The operation, if there is one and it has not expired.
    ///
    /// # Errors
    /// When `DynamoDB` does not answer, or holds what is no operation of ours.
    pub async fn get(
        &self,
        tenant: &TenantId,
        id: OperationId,
        now: Timestamp,
    ) -> Result<Option<Operation>, Failure> {
        let answer = self
            .client
            .get_item()
            .table_name(&*self.table)
            .key("operation", AttributeValue::S(id.key(tenant)))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        let Some(item) = answer.item.map(Item) else { return Ok(None) };
        if item.is_expired(now) {
            return Ok(None);
        }
        item.operation(id, now).map(Some).ok_or_else(unreadable)
    }

    /// Checks that `DynamoDB` answers, by getting an operation that is not there.
    ///
    /// # Errors
    /// When `DynamoDB` does not answer.
    pub fn check(&self) -> impl Future<Output = Result<(), Failure>> + use<> {
        let request = self.client.get_item().table_name(&*self.table);
        let request = request.key("operation", AttributeValue::S("none".to_owned()));
        async move {
            let unanswered = request.send().await.err().as_ref().and_then(unanswered);
            unanswered.map_or(Ok(()), |cause| Err(Failure::Unavailable(cause)))
        }
    }

    /// Ends operations; one answer each, in order. One that has expired is a success. Takes ten seconds
    /// more than its requests at most, for operations that `DynamoDB` throttles.
    pub async fn end(&self, ended: &[(TenantId, OperationId, Ending)]) -> Vec<Result<(), Failure>> {
        let statements = ended.iter().map(|(tenant, id, ending)| {
            let ending = serde_json::to_string(ending)
                .map_err(|error| Failure::Refused(error.to_string()))?;
            self.update("ending", AttributeValue::S(ending), tenant, *id)
        });
        all_succeed(execute(&self.client, statements.collect()).await)
    }

    /// Announces the last delivery of operations' messages: without an outcome by `until`, they are
    /// in the dead-letter queue.
    pub async fn announce_last_delivery(
        &self,
        operations: &[(TenantId, OperationId)],
        until: Timestamp,
    ) -> Vec<Result<(), Failure>> {
        let until = AttributeValue::N(until.timestamp().to_string());
        let statements = operations
            .iter()
            .map(|(tenant, id)| self.update("last_delivery_until", until.clone(), tenant, *id));
        all_succeed(execute(&self.client, statements.collect()).await)
    }

    fn update(
        &self,
        attribute: &str,
        value: AttributeValue,
        tenant: &TenantId,
        id: OperationId,
    ) -> Result<Statement, Failure> {
        let item = id.key(tenant);
        let statement =
            format!(r#"UPDATE "{}" SET {attribute} = ? WHERE operation = ?"#, self.table);
        let request = BatchStatementRequest::builder()
            .statement(statement)
            .parameters(value)
            .parameters(AttributeValue::S(item.clone()))
            .build()
            .map_err(unavailable)?;
        Ok(Statement { item, request })
    }
}

fn unreadable() -> Failure {
    Failure::Refused("an operation is not ours".to_owned())
}
