//! A consumer as a Lambda, and what its event source mapping does for it: receives, invokes, and deletes the
//! messages that it does not report as failed.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use fake_lambda::LambdaApi;
use local_stack::{Environment, Process};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::consumer::peer;
use crate::functions::PATIENCE;
use crate::pipeline::Pipeline;
use crate::queues::Queues;
use crate::servers::{Running, Server};

/// Of a FIFO queue, an invocation has no more.
const BATCH: i32 = 10;
/// Until an invocation must end.
const INVOCATION: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// Dropped, it ends.
pub(super) struct Lambda {
    pub(super) server: Server,
    api: LambdaApi,
}

impl Lambda {
    pub(super) async fn ours(pipeline: &Pipeline, queue: &str) -> Result<Self> {
        let api = LambdaApi::start().await;
        let environment = with_api(pipeline.worker_environment(queue), &api);
        let started = pipeline.functions.spawn("command-worker", "lambda", &environment)?;
        Self::ready(Server::new(Running::Ours(started))?, api).await
    }

    /// As AWS's runtime for Python does it.
    pub(super) async fn powertools(pipeline: &Pipeline, folder: &Path) -> Result<Self> {
        let api = LambdaApi::start().await;
        let mut program = peer(pipeline, &folder.join("bin/python"), folder);
        program.arguments = ["-m", "awslambdaric", "function.handler"].map(Into::into).into();
        program.environment = with_api(program.environment, &api)
            .with("LAMBDA_TASK_ROOT", folder)
            .with("POWERTOOLS_SERVICE_NAME", "bench");
        Self::ready(Server::new(Running::Other(Process::start(program)?))?, api).await
    }

    async fn ready(server: Server, api: LambdaApi) -> Result<Self> {
        timeout(PATIENCE, api.fetches(1)).await.context("a Lambda does not start")?;
        Ok(Self { server, api })
    }

    /// Until the queue has no messages.
    pub(super) async fn work_off(
        &self,
        queues: &Queues,
        queue: &str,
        limit: Duration,
    ) -> Result<()> {
        let end = Instant::now() + limit;
        let mut invocations = 0;
        while queues.counts(queue).await? != (0, 0) {
            ensure!(Instant::now() < end, "after {limit:?} a Lambda has not worked its queue off");
            let request = queues.client.receive_message().queue_url(queue);
            let request = request.max_number_of_messages(BATCH);
            let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
            let messages = request.send().await?.messages.unwrap_or_default();
            if messages.is_empty() {
                sleep(POLL).await;
                continue;
            }
            invocations += 1;
            let name = format!("invocation-{invocations}");
            let outcome = self.api.invoke(&name, INVOCATION, event(queue, &messages));
            let answer = timeout(INVOCATION, outcome).await;
            let answer = answer.context("an invocation does not end")?;
            let answer = answer.map_err(|error| anyhow!("an invocation failed: {error}"))?;
            self.delete(queues, queue, &messages, &failures(&answer)?).await?;
        }
        Ok(())
    }

    async fn delete(
        &self,
        queues: &Queues,
        queue: &str,
        messages: &[Message],
        failed: &HashSet<String>,
    ) -> Result<()> {
        let mut entries = Vec::new();
        for message in messages {
            let id = message.message_id().context("a message has a name")?;
            if !failed.contains(id) {
                let entry = DeleteMessageBatchRequestEntry::builder().id(id);
                entries.push(entry.set_receipt_handle(message.receipt_handle.clone()).build()?);
            }
        }
        if !entries.is_empty() {
            let request = queues.client.delete_message_batch().queue_url(queue);
            request.set_entries(Some(entries)).send().await?;
        }
        Ok(())
    }
}

fn with_api(environment: Environment, api: &LambdaApi) -> Environment {
    let add = |all: Environment, (name, value): (&str, String)| all.with(name, value);
    api.environment().into_iter().fold(environment, add)
}

/// As AWS writes it: <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>.
fn event(queue: &str, messages: &[Message]) -> Value {
    let name = queue.rsplit('/').next().unwrap_or_default();
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
    let record = |message: &Message| {
        let attributes: Map<_, _> = message
            .attributes
            .iter()
            .flatten()
            .map(|(name, value)| (name.as_str().to_owned(), Value::from(value.as_str())))
            .collect();
        json!({
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": attributes,
            "messageAttributes": {},
            "md5OfBody": message.md5_of_body,
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": "us-east-1",
        })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}

/// The messages that are not to be deleted.
fn failures(answer: &Value) -> Result<HashSet<String>> {
    let failures = answer.get("batchItemFailures").and_then(Value::as_array);
    let failures = failures.context("an answer without batchItemFailures would delete them all")?;
    let id = |failure: &Value| failure.get("itemIdentifier")?.as_str().map(str::to_owned);
    failures.iter().map(|failure| id(failure).context("a failure names a message")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_not_deleted() {
        let answer = json!({ "batchItemFailures": [{ "itemIdentifier": "a" }] });
        assert_eq!(failures(&answer).unwrap(), ["a".to_owned()].into());
        assert!(failures(&json!({ "batchItemFailures": [] })).unwrap().is_empty());
        assert!(failures(&json!({ "batchItemFailures": [{}] })).is_err());
        assert!(failures(&Value::Null).is_err());
    }

    #[test]
    fn an_event_has_what_a_message_has() {
        let message = Message::builder().message_id("1").body("{}");
        let message = message.attributes(MessageSystemAttributeName::MessageGroupId, "g").build();
        let event = event("http://host/1/name.fifo", &[message]);
        let at = |pointer| event.pointer(pointer).unwrap();
        assert_eq!(at("/Records/0/messageId"), "1");
        assert_eq!(at("/Records/0/body"), "{}");
        assert_eq!(at("/Records/0/eventSourceARN"), "arn:aws:sqs:us-east-1:000000000000:name.fifo");
        assert_eq!(at("/Records/0/attributes/MessageGroupId"), "g");
    }
}
