//! Writes that are applied later: an operation to poll, and a command on the queue.
//!
//! The operation is written first, so that whoever applies the command finds it. If the command then
//! cannot be sent, the caller gets an error and tries again, with the same key; the operation is found, and
//! the command sent once more. Sent twice, it takes effect once.

use std::mem;

use anyhow::{Context as _, anyhow};
use aws_sdk_sqs::Client;
use domain::{Actor, Timestamp};
use events::{CommandEvent, EventId};
use http_support::Problem;
use publish::{Producer, Refused};
use records::{Acceptance, Failure, Operation, Operations, OperationsConfig, State};
use runtime::aws;
use store::fingerprint;

/// Accepts commands to be applied later.
#[derive(Clone)]
pub(crate) struct AsyncWrites {
    operations: Operations,
    producer: Producer,
}

impl AsyncWrites {
    /// `None` without a queue.
    pub(crate) async fn connect(
        queue_url: Option<String>,
        operations: OperationsConfig,
    ) -> Option<Self> {
        let queue_url = queue_url?;
        let config = aws::client_config().await;
        Some(Self {
            operations: Operations::new(&config, operations),
            producer: Producer::new(Client::new(&config), queue_url).reserved_sources(),
        })
    }

    /// The operation of a command that will be applied, or was.
    pub(crate) async fn accept(
        &self,
        mut event: CommandEvent,
        caller: &Actor,
        now: Timestamp,
    ) -> Result<Operation, Problem> {
        let (tenant, task) = (&event.command.tenant, event.command.task);
        let digest = fingerprint(&event.command).context("a digest of the command")?;
        let key = (event.id.as_str(), caller);
        let accepted = self.operations.accept(tenant, key, task, &digest, now).await;
        let (operation, key) = match accepted {
            Ok(Acceptance::Operation { operation, key }) => (operation, key),
            Ok(Acceptance::KeyReused) => return Err(Problem::IdempotencyKeyReused),
            Err(failure @ Failure::Unavailable(_)) => {
                return Err(Problem::unavailable("the store of operations", failure));
            }
            Err(failure) => return Err(anyhow!(failure).into()),
        };
        if operation.state == State::Accepted {
            // Of a repeated create, the task whose identifier the caller got.
            event.command.task = operation.task;
            let id = EventId::try_from(key).map_err(anyhow::Error::msg)?;
            if id != event.id {
                event.idempotency_key = Some(mem::replace(&mut event.id, id));
            }
            self.send(&event, now).await?;
        }
        Ok(operation)
    }

    async fn send(&self, event: &CommandEvent, now: Timestamp) -> Result<(), Problem> {
        let body = events::encode_command(event, now).context("the command as an event")?;
        let report = self.producer.send(&[body]).await;
        let report = report.map_err(|error| Problem::unavailable("the command queue", error))?;
        match report.refused.first() {
            None => Ok(()),
            // The detail may quote what the caller sent.
            Some(Refused { reason, pointer, .. }) => {
                Err(anyhow!("the command was refused: {reason} at `{pointer}`").into())
            }
        }
    }
}
