//! An event source mapping in miniature: from a real queue to a function's invocations, and back to
//! deletions by the rules of a partial batch response.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    Message, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fake_lambda::LambdaApi;
use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// A Lambda's timeout, unless a test has another.
pub(crate) const TIME: Duration = Duration::from_secs(20);

/// A running mapping; dropped, it stops.
pub(crate) struct Mapping(JoinHandle<()>);

impl Mapping {
    /// Begins to feed the function behind `api`, whose timeout is `time`.
    pub(crate) fn start(sqs: Client, queue_url: String, api: LambdaApi, time: Duration) -> Self {
        Self(tokio::spawn(async move {
            let arn = arn(&sqs, &queue_url).await;
            loop {
                feed(&sqs, &queue_url, &arn, &api, time).await;
            }
        }))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn feed(sqs: &Client, queue_url: &str, arn: &str, api: &LambdaApi, time: Duration) {
    let receive = sqs
        .receive_message()
        .queue_url(queue_url)
        .max_number_of_messages(10)
        .wait_time_seconds(1)
        .message_attribute_names("All")
        .message_system_attribute_names(MessageSystemAttributeName::All);
    let batch = receive.send().await.expect("an answer").messages.unwrap_or_default();
    if batch.is_empty() {
        return;
    }
    let records: Vec<_> = batch.iter().map(|message| record(message, arn)).collect();
    let id = Uuid::new_v4().to_string();
    let outcome = api.invoke(&id, time, json!({"Records": records})).await;
    // An invocation that fails fails for all of its messages.
    let Ok(answer) = outcome else { return };
    for handle in succeeded(&batch, &answer) {
        let delete = sqs.delete_message().queue_url(queue_url).receipt_handle(handle);
        delete.send().await.expect("a deletion");
    }
}

/// The receipt handles of the messages that the answer does not name.
fn succeeded<'a>(batch: &'a [Message], answer: &Value) -> Vec<&'a str> {
    let id = |message: &'a Message| message.message_id().expect("an id");
    let failures = answer["batchItemFailures"].as_array().expect("a partial batch response");
    let failed: Vec<_> = failures
        .iter()
        .map(|failure| failure["itemIdentifier"].as_str().expect("an identifier"))
        .collect();
    assert!(failed.iter().all(|failed| batch.iter().any(|sent| id(sent) == *failed)), "{answer}");
    let done = batch.iter().filter(|message| !failed.contains(&id(message)));
    done.map(|message| message.receipt_handle().expect("a handle")).collect()
}

/// The queue's name for AWS.
pub(crate) async fn arn(sqs: &Client, queue_url: &str) -> String {
    let request = sqs.get_queue_attributes().queue_url(queue_url);
    let answer = request.attribute_names(QueueAttributeName::QueueArn).send().await;
    let attributes = answer.expect("an answer").attributes.expect("attributes");
    attributes[&QueueAttributeName::QueueArn].clone()
}

/// A message of the queue `arn` as an event brings it.
pub(crate) fn record(message: &Message, arn: &str) -> Value {
    let system = message.attributes().into_iter().flatten();
    let system: Map<_, _> =
        system.map(|(name, value)| (name.as_str().to_owned(), json!(value))).collect();
    let attributes = message.message_attributes().into_iter().flatten();
    let attributes: Map<_, _> =
        attributes.map(|(name, value)| (name.clone(), attribute(value))).collect();
    json!({
        "messageId": message.message_id(),
        "receiptHandle": message.receipt_handle(),
        "body": message.body(),
        "attributes": system,
        "messageAttributes": attributes,
        "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": "local",
    })
}

fn attribute(value: &MessageAttributeValue) -> Value {
    let binary = value.binary_value().map(|bytes| BASE64_STANDARD.encode(bytes));
    json!({
        "dataType": value.data_type(),
        "stringValue": value.string_value(),
        "binaryValue": binary,
        "stringListValues": [],
        "binaryListValues": [],
    })
}
