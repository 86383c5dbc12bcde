//! AWS's rule in front of the local server, which is more lenient: a message has no characters but
//! #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD and #x10000 to #x10FFFF. What the rule allows is
//! sent on to the real queue.

use std::sync::Arc;
use std::sync::Mutex;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

/// The server's URL, and what it refuses beyond the rule.
pub(crate) struct Strict {
    pub(crate) url: String,
    rules: Arc<Rules>,
}

struct Rules {
    sqs: Client,
    /// Refuses all messages with the second in the queue whose URL ends with the first.
    also: Mutex<Option<(String, String)>>,
}

impl Strict {
    pub(crate) async fn start(sqs: Client) -> Self {
        let rules = Arc::new(Rules { sqs, also: Mutex::default() });
        let router = Router::new().fallback(post(send)).with_state(Arc::clone(&rules));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, rules }
    }

    /// Also refuses messages that contain `text` in that queue.
    pub(crate) fn refuse(&self, queue: &str, text: &str) {
        *self.rules.also.lock().expect("a lock") = Some((queue.to_owned(), text.to_owned()));
    }

    /// Refuses by the rule alone again.
    pub(crate) fn mend(&self) {
        *self.rules.also.lock().expect("a lock") = None;
    }
}

impl Rules {
    fn allow(&self, queue: &str, body: &str) -> bool {
        let also = self.also.lock().expect("a lock");
        let refused =
            also.as_ref().is_some_and(|(of, text)| queue.ends_with(of) && body.contains(text));
        !refused
            && body
                .chars()
                .all(|char| matches!(char, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..))
    }
}

async fn send(State(rules): State<Arc<Rules>>, request: String) -> Json<Value> {
    let request: Value = serde_json::from_str(&request).expect("JSON");
    let url = request["QueueUrl"].as_str().expect("a queue");
    let mut sending = rules.sqs.send_message_batch().queue_url(url);
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in request["Entries"].as_array().expect("entries") {
        let text = |name: &str| entry[name].as_str().map(str::to_owned);
        let (id, body) = (text("Id").expect("an id"), text("MessageBody").expect("a body"));
        if !rules.allow(url, &body) {
            failed.push(json!({"Id": id, "Code": "InvalidMessageContents", "SenderFault": true}));
            continue;
        }
        let entry = SendMessageBatchRequestEntry::builder()
            .id(&id)
            .message_body(body)
            .set_message_group_id(text("MessageGroupId"))
            .set_message_deduplication_id(text("MessageDeduplicationId"));
        sending = sending.entries(entry.build().expect("an entry"));
        successful.push(json!({"Id": id, "MessageId": id, "MD5OfMessageBody": ""}));
    }
    if !successful.is_empty() {
        let sent = sending.send().await.expect("an answer");
        assert!(sent.failed().is_empty(), "{:?}", sent.failed());
    }
    Json(json!({"Successful": successful, "Failed": failed}))
}
