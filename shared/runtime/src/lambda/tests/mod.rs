//! The SQS half of the host, against a queue that records its calls. The other half needs
//! a Runtime API, and a process for each: `tests/lambda`.

mod outage;
mod partial_batch;
mod queue;
mod traces;

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::sqs::{Answer, answer};
use crate::{
    SystemClock,
    health::Dependencies,
    sqs::{BatchHandler, Config, Delivery, LambdaConsumer, Parts, Reject, Retry, Verdict},
};
use queue::{QUEUE_ARN, RecordingQueue};

/// Does what a body says.
struct Obedient;

impl BatchHandler for Obedient {
    type Message = String;

    fn decode(&self, delivery: &Delivery) -> Result<String, Reject> {
        match delivery.body() {
            "bad" => Err(Reject::new("malformed", "it is bad")),
            body => Ok(body.to_owned()),
        }
    }

    async fn handle(&self, batch: Vec<String>) -> Vec<Verdict> {
        if batch.iter().any(|body| body == "hang") {
            std::future::pending::<()>().await;
        }
        assert!(batch.iter().all(|body| body != "panic"), "as the test says");
        batch.iter().map(|body| verdict(body)).collect()
    }
}

fn verdict(body: &str) -> Verdict {
    match body {
        "retry" => Retry::new("busy", "").into(),
        "reject" => Reject::new("hopeless", "").into(),
        _ => Verdict::Ack,
    }
}

/// A record as an event source mapping brings it.
fn record(id: &str, group: &str, deliveries: u32, body: &str) -> Value {
    json!({
        "messageId": id,
        "receiptHandle": format!("handle-{id}"),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": deliveries.to_string(),
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
            "MessageGroupId": group,
            "MessageDeduplicationId": id,
            "SequenceNumber": "18849496460467696128",
        },
        "messageAttributes": {
            "text": {"dataType": "String", "stringValue": "value",
                     "stringListValues": [], "binaryListValues": []},
            "bytes": {"dataType": "Binary", "binaryValue": "AP8=",
                      "stringListValues": [], "binaryListValues": []},
        },
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": "local",
    })
}

async fn handle(queue: &RecordingQueue, records: &[Value]) -> anyhow::Result<Answer> {
    invoke(&process(queue, Dependencies::default()), records, Duration::from_secs(5)).await
}

/// A process that needs `dependencies`.
fn process(
    queue: &RecordingQueue,
    dependencies: Dependencies,
) -> LambdaConsumer<Obedient, RecordingQueue> {
    LambdaConsumer::new(Parts {
        queue: queue.clone(),
        handler: Obedient,
        config: &Config::for_test(),
        name: "test",
        clock: Arc::new(SystemClock),
        dependencies,
        random: rand::make_rng(),
    })
}

/// An invocation that may take so long.
async fn invoke(
    process: &LambdaConsumer<Obedient, RecordingQueue>,
    records: &[Value],
    time: Duration,
) -> anyhow::Result<Answer> {
    let event = serde_json::from_value(json!({"Records": records})).unwrap();
    answer(process, event, Instant::now() + time).await
}

/// The ids that the answer names.
fn ids(answer: &Answer) -> Vec<&str> {
    answer.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}
