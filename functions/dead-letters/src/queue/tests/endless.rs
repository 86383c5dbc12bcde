//! An SQS whose queue has no end.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Config, Credentials, Region};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use serde_json::{Value, json};

/// What becomes of a change of visibility.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Releases {
    All,
    /// Each message is refused once.
    AfterOneFailure,
    None,
}

pub(super) struct Endless {
    pub(super) client: Client,
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    releases: Releases,
    handed_out: usize,
    in_flight: HashSet<String>,
    most_in_flight: usize,
    refused: HashSet<String>,
}

impl Endless {
    pub(super) async fn start(releases: Releases) -> Self {
        let state = Arc::new(Mutex::new(State {
            releases,
            handed_out: 0,
            in_flight: HashSet::new(),
            most_in_flight: 0,
            refused: HashSet::new(),
        }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("local"))
            .endpoint_url(&url)
            .credentials_provider(Credentials::new("id", "key", None, None, "test"));
        Self { client: Client::from_conf(config.build()), url, state }
    }

    pub(super) fn in_flight(&self) -> usize {
        lock(&self.state).in_flight.len()
    }

    pub(super) fn most_in_flight(&self) -> usize {
        lock(&self.state).most_in_flight
    }
}

async fn answer(
    Shared(state): Shared<Arc<Mutex<State>>>,
    headers: HeaderMap,
    request: String,
) -> Response {
    let request: Value = serde_json::from_str(&request).unwrap();
    let target = headers["x-amz-target"].to_str().unwrap();
    let mut state = lock(&state);
    match target.rsplit('.').next().unwrap() {
        "ReceiveMessage" => Json(state.receive()).into_response(),
        "ChangeMessageVisibilityBatch" => Json(state.release(&request)).into_response(),
        "ListQueues" => {
            let url = |name| format!("http://sqs/1/{name}");
            let urls = ["orders", "secret", "dlq", "another"].map(url);
            Json(json!({"QueueUrls": urls})).into_response()
        }
        "GetQueueAttributes" => attributes(request["QueueUrl"].as_str().unwrap()),
        other => panic!("{other} is not expected"),
    }
}

/// Two queues have the same dead-letter queue, and a third is denied.
fn attributes(url: &str) -> Response {
    let name = url.rsplit('/').next().unwrap();
    if name == "secret" {
        let denied = json!({"__type": "com.amazonaws.sqs#AccessDeniedException", "message": "no"});
        return (StatusCode::FORBIDDEN, Json(denied)).into_response();
    }
    let mut attributes = json!({"QueueArn": format!("arn:aws:sqs:local:1:{name}")});
    if name != "dlq" {
        let policy =
            json!({"deadLetterTargetArn": "arn:aws:sqs:local:1:dlq", "maxReceiveCount": 3});
        attributes["RedrivePolicy"] = policy.to_string().into();
    }
    Json(json!({"Attributes": attributes})).into_response()
}

impl State {
    fn receive(&mut self) -> Value {
        let first = self.handed_out;
        self.handed_out += 10;
        let names: Vec<_> = (first..self.handed_out).map(|number| number.to_string()).collect();
        self.in_flight.extend(names.iter().cloned());
        self.most_in_flight = self.most_in_flight.max(self.in_flight.len());
        let message = |name| json!({"MessageId": name, "ReceiptHandle": name, "Body": "{}"});
        json!({"Messages": names.iter().map(message).collect::<Vec<_>>()})
    }

    fn release(&mut self, request: &Value) -> Value {
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in request["Entries"].as_array().unwrap() {
            assert_eq!(entry["VisibilityTimeout"], 0);
            let handle = entry["ReceiptHandle"].as_str().unwrap();
            let is_refused = match self.releases {
                Releases::All => false,
                Releases::AfterOneFailure => self.refused.insert(handle.to_owned()),
                Releases::None => true,
            };
            if is_refused {
                let id = &entry["Id"];
                failed.push(json!({"Id": id, "Code": "InternalError", "SenderFault": false}));
            } else {
                self.in_flight.remove(handle);
                successful.push(json!({"Id": entry["Id"]}));
            }
        }
        json!({"Successful": successful, "Failed": failed})
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap()
}
