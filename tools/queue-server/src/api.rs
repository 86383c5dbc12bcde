//! The JSON protocol of SQS: a header names the operation.
//!
//! Source of the shapes: the SQS API reference, <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/>.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::RwLock;
use tokio::time::Instant;

use crate::attributes::{self, ACCOUNT};
use crate::messages::{NamedQueue, Sent};

/// As AWS has it.
const MOST_OF_A_RECEIVE: usize = 10;

struct Server {
    address: SocketAddr,
    queues: RwLock<HashMap<String, Arc<NamedQueue>>>,
}

/// A type of the API's and a sentence.
struct Refused(&'static str, String);

type Answer = Result<Value, Refused>;

/// A request of any operation.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    queue_url: Option<String>,
    queue_name: Option<String>,
    queue_name_prefix: Option<String>,
    attributes: Option<HashMap<String, String>>,
    #[serde(default)]
    entries: Vec<Entry>,
    max_number_of_messages: Option<usize>,
    wait_time_seconds: Option<u64>,
    #[serde(flatten)]
    one: One,
}

/// One message of a batch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    #[serde(flatten)]
    one: One,
}

/// A message that was received, or that is sent.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct One {
    receipt_handle: Option<String>,
    visibility_timeout: Option<u64>,
    #[serde(flatten)]
    sent: Option<Sent>,
}

/// Answers every operation that is there.
pub(crate) fn router(address: SocketAddr) -> Router {
    let server = Arc::new(Server { address, queues: RwLock::default() });
    Router::new().fallback(post(answer)).with_state(server)
}

async fn answer(State(server): State<Arc<Server>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix("AmazonSQS.").unwrap_or_default();
    let answered = match serde_json::from_slice(&body) {
        Ok(request) => server.perform(operation, request).await,
        Err(error) => Err(Refused("InvalidParameterValue", error.to_string())),
    };
    let (status, answer) = match answered {
        Ok(answer) => (StatusCode::OK, answer),
        Err(Refused(kind, message)) => {
            let kind = format!("com.amazonaws.sqs#{kind}");
            (StatusCode::BAD_REQUEST, json!({ "__type": kind, "message": message }))
        }
    };
    let headers = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status, headers, answer.to_string()).into_response()
}

impl Server {
    async fn perform(&self, operation: &str, request: Request) -> Answer {
        match operation {
            "CreateQueue" => self.create(request).await,
            "ListQueues" => Ok(self.list(request.queue_name_prefix.as_deref()).await),
            "GetQueueUrl" => {
                let name = request.queue_name.unwrap_or_default();
                self.queue(&name).await?;
                Ok(json!({ "QueueUrl": self.url(&name) }))
            }
            _ => {
                let url = request.queue_url.clone().unwrap_or_default();
                let name = url.rsplit('/').next().unwrap_or_default();
                let queue = self.queue(name).await?;
                match operation {
                    "ListDeadLetterSourceQueues" => Ok(self.sources(name).await),
                    _ => of_queue(&queue, name, operation, request).await,
                }
            }
        }
    }

    async fn create(&self, request: Request) -> Answer {
        let name = request.queue_name.unwrap_or_default();
        let queue = NamedQueue::new(request.attributes.unwrap_or_default());
        let mut queues = self.queues.write().await;
        queues.entry(name.clone()).or_insert_with(|| Arc::new(queue));
        Ok(json!({ "QueueUrl": self.url(&name) }))
    }

    async fn list(&self, prefix: Option<&str>) -> Value {
        let queues = self.queues.read().await;
        let prefix = prefix.unwrap_or_default();
        let names = queues.keys().filter(|name| name.starts_with(prefix));
        json!({ "QueueUrls": names.map(|name| self.url(name)).collect::<Vec<_>>() })
    }

    /// The queues whose dead-letter queue this is. `queueUrls` is written so in the API, other than `QueueUrls`.
    async fn sources(&self, dead_letter_queue: &str) -> Value {
        let mut urls = Vec::new();
        for (name, queue) in self.queues.read().await.iter() {
            if attributes::is_source(queue, dead_letter_queue).await {
                urls.push(self.url(name));
            }
        }
        json!({ "queueUrls": urls })
    }

    async fn queue(&self, name: &str) -> Result<Arc<NamedQueue>, Refused> {
        let missing = || Refused("QueueDoesNotExist", format!("there is no queue {name:?}"));
        self.queues.read().await.get(name).cloned().ok_or_else(missing)
    }

    fn url(&self, name: &str) -> String {
        format!("http://{}/{ACCOUNT}/{name}", self.address)
    }
}

async fn of_queue(queue: &NamedQueue, name: &str, operation: &str, request: Request) -> Answer {
    match operation {
        "GetQueueAttributes" => Ok(attributes::all(queue, name).await),
        "SetQueueAttributes" => {
            queue.attributes.lock().await.extend(request.attributes.unwrap_or_default());
            Ok(json!({}))
        }
        "ReceiveMessage" => {
            let most = request.max_number_of_messages.unwrap_or(1).min(MOST_OF_A_RECEIVE);
            let wait = Duration::from_secs(request.wait_time_seconds.unwrap_or(0));
            let deadline = Instant::now() + wait;
            let received = queue.receive(most, request.one.visibility_timeout, deadline).await;
            Ok(json!({ "Messages": received }))
        }
        "SendMessageBatch" | "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => {
            let of_one = operation.strip_suffix("Batch").unwrap_or(operation);
            let mut successful = Vec::new();
            let mut failed = Vec::new();
            for entry in request.entries {
                match of_message(queue, of_one, entry.one).await {
                    Ok(mut done) => {
                        if let Some(done) = done.as_object_mut() {
                            done.insert("Id".to_owned(), entry.id.into());
                        }
                        successful.push(done);
                    }
                    Err(Refused(code, message)) => failed.push(json!({
                        "Id": entry.id, "Code": code, "Message": message, "SenderFault": true,
                    })),
                }
            }
            Ok(json!({ "Successful": successful, "Failed": failed }))
        }
        _ => of_message(queue, operation, request.one).await,
    }
}

fn sent(sent: Option<Sent>) -> Result<Sent, Refused> {
    sent.ok_or_else(|| Refused("MissingParameter", "MessageBody is missing".to_owned()))
}

async fn of_message(queue: &NamedQueue, operation: &str, one: One) -> Answer {
    match operation {
        "SendMessage" => Ok(queue.send(sent(one.sent)?, now_ms()).await),
        // Success for a message that is deleted: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
        "DeleteMessage" => {
            queue.delete(receipt(&one)?).await;
            Ok(json!({}))
        }
        "ChangeMessageVisibility" => {
            let receipt = receipt(&one)?;
            let seconds = one.visibility_timeout.unwrap_or_default();
            let changed = queue.change_visibility(receipt, seconds).await;
            let refused = || Refused("MessageNotInflight", format!("{receipt} is not in flight"));
            changed.then(|| json!({})).ok_or_else(refused)
        }
        _ => {
            let sentence = format!("{operation:?} is not here: see its documentation");
            Err(Refused("UnsupportedOperation", sentence))
        }
    }
}

fn receipt(one: &One) -> Result<u64, Refused> {
    let handle = one.receipt_handle.as_deref().unwrap_or_default();
    let invalid = |_| Refused("ReceiptHandleIsInvalid", format!("no receipt is {handle:?}"));
    handle.parse().map_err(invalid)
}

#[expect(clippy::disallowed_methods, reason = "it is no part of what ships")]
fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
