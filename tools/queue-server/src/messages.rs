//! What is sent and received, as SQS writes it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use md5::{Digest as _, Md5};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::queue::{Queue, Received};

/// As AWS has it, unless a queue says otherwise.
const VISIBILITY: Duration = Duration::from_secs(30);

/// What a producer sends.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "as SQS names them")]
pub(crate) struct Sent {
    message_body: String,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
    message_attributes: Option<Value>,
}

/// A message, without what changes from one delivery to the next.
pub(crate) struct Message {
    id: String,
    body: String,
    body_md5: String,
    attributes: Option<Value>,
    system_attributes: Map<String, Value>,
}

/// A queue with its attributes.
pub(crate) struct NamedQueue {
    pub(crate) attributes: Mutex<HashMap<String, String>>,
    messages: Mutex<Queue<Arc<Message>>>,
    sent: Notify,
}

impl NamedQueue {
    pub(crate) fn new(attributes: HashMap<String, String>) -> Self {
        let (attributes, messages) = (Mutex::new(attributes), Mutex::default());
        Self { attributes, messages, sent: Notify::new() }
    }

    /// Adds a message. Returns what its sender gets.
    pub(crate) async fn send(&self, sent: Sent, now_ms: u128) -> Value {
        let body_md5 = hex::encode(Md5::digest(&sent.message_body));
        let id = Uuid::new_v4().to_string();
        let mut system_attributes = Map::new();
        system_attributes.insert("SentTimestamp".to_owned(), now_ms.to_string().into());
        let group = sent.message_group_id;
        for (name, value) in
            [("MessageGroupId", &group), ("MessageDeduplicationId", &sent.message_deduplication_id)]
        {
            if let Some(value) = value {
                system_attributes.insert(name.to_owned(), value.as_str().into());
            }
        }
        let answer = json!({ "MessageId": id, "MD5OfMessageBody": body_md5 });
        let attributes = sent.message_attributes;
        let body = sent.message_body;
        let message = Message { id, body, body_md5, attributes, system_attributes };
        self.messages.lock().await.send(group.as_deref(), Arc::new(message));
        self.sent.notify_one();
        answer
    }

    /// Waits for messages at most until `deadline`.
    pub(crate) async fn receive(
        &self,
        most: usize,
        visibility: Option<u64>,
        deadline: Instant,
    ) -> Vec<Value> {
        let configured = self.attributes.lock().await.get("VisibilityTimeout").cloned();
        let configured = configured.and_then(|it| it.parse().ok()).map(Duration::from_secs);
        let time = visibility.map(Duration::from_secs).or(configured).unwrap_or(VISIBILITY);
        loop {
            let mut messages = self.messages.lock().await;
            let received = messages.receive(most, time, Instant::now());
            let (more, next) = (messages.counts().0 > 0, messages.next_visible());
            drop(messages);
            if !received.is_empty() {
                if more {
                    self.sent.notify_one();
                }
                return received.into_iter().map(shown).collect();
            }
            let until = next.map_or(deadline, |next| next.min(deadline));
            let sent = timeout_at(until, self.sent.notified()).await.is_ok();
            if !sent && Instant::now() >= deadline {
                return Vec::new();
            }
        }
    }

    /// `false` if it is not in flight.
    pub(crate) async fn delete(&self, receipt: u64) -> bool {
        let deleted = self.messages.lock().await.delete(receipt);
        self.sent.notify_one();
        deleted
    }

    /// `false` if it is not in flight.
    pub(crate) async fn change_visibility(&self, receipt: u64, seconds: u64) -> bool {
        let time = Duration::from_secs(seconds);
        let mut messages = self.messages.lock().await;
        let changed = messages.change_visibility(receipt, time, Instant::now());
        self.sent.notify_one();
        changed
    }

    /// Those that were sent so far, those that can be received, and those in flight.
    pub(crate) async fn counts(&self) -> (u64, usize, usize) {
        let messages = self.messages.lock().await;
        let (waiting, in_flight) = messages.counts();
        (messages.sent(), waiting, in_flight)
    }
}

fn shown(received: Received<Arc<Message>>) -> Value {
    let Received { receipt, number, message, receives } = received;
    let mut system = message.system_attributes.clone();
    let sent = system.get("SentTimestamp").cloned().unwrap_or_default();
    system.insert("ApproximateFirstReceiveTimestamp".to_owned(), sent);
    system.insert("ApproximateReceiveCount".to_owned(), receives.to_string().into());
    system.insert("SequenceNumber".to_owned(), format!("{number:020}").into());
    let mut shown = json!({
        "MessageId": message.id,
        "ReceiptHandle": receipt.to_string(),
        "Body": message.body,
        "MD5OfBody": message.body_md5,
        "Attributes": system,
    });
    if let (Some(shown), Some(attributes)) = (shown.as_object_mut(), &message.attributes) {
        shown.insert("MessageAttributes".to_owned(), attributes.clone());
    }
    shown
}
