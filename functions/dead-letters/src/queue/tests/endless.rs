//! An SQS whose queue has no end.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Config, Credentials, Region};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::time::sleep;

/// What becomes of a change of visibility.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Releases {
    All,
    /// Each message is refused once.
    AfterOneFailure,
    None,
    /// Each request takes so long.
    Slowly(Duration),
    /// The first request has no answer but an error.
    AfterOneError,
    /// Each request has no answer but an error.
    Errors,
}

pub(super) struct Endless {
    pub(super) client: Client,
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    releases: Releases,
    handed_out: usize,
    /// Until when.
    in_flight: HashMap<String, Instant>,
    most_in_flight: usize,
    refused: HashSet<String>,
    /// Requests that begin visibility timeouts anew, and those that release messages.
    extensions: usize,
    releases_begun: usize,
    /// Both at a time.
    changes: usize,
    most_changes: usize,
    /// Messages that were visible and are not any more, because of an extension.
    taken_back: usize,
}

impl Endless {
    pub(super) async fn start(releases: Releases) -> Self {
        let state = Arc::new(Mutex::new(State {
            releases,
            handed_out: 0,
            in_flight: HashMap::new(),
            most_in_flight: 0,
            refused: HashSet::new(),
            extensions: 0,
            releases_begun: 0,
            changes: 0,
            most_changes: 0,
            taken_back: 0,
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
        lock(&self.state).in_flight()
    }

    pub(super) fn extensions(&self) -> usize {
        lock(&self.state).extensions
    }

    pub(super) fn releases_begun(&self) -> usize {
        lock(&self.state).releases_begun
    }

    pub(super) fn most_changes(&self) -> usize {
        lock(&self.state).most_changes
    }

    pub(super) fn taken_back(&self) -> usize {
        lock(&self.state).taken_back
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
    let action = target.rsplit('.').next().unwrap();
    let releases = lock(&state).releases;
    if let ("ChangeMessageVisibilityBatch", Releases::Slowly(time)) = (action, releases) {
        lock(&state).change_begins();
        sleep(time).await;
        lock(&state).changes -= 1;
    }
    let mut state = lock(&state);
    match action {
        "ReceiveMessage" => Json(state.receive(&request)).into_response(),
        "ChangeMessageVisibilityBatch" => state.change(&request),
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
        return denied();
    }
    let mut attributes = json!({"QueueArn": format!("arn:aws:sqs:local:1:{name}")});
    if name != "dlq" {
        let policy =
            json!({"deadLetterTargetArn": "arn:aws:sqs:local:1:dlq", "maxReceiveCount": 3});
        attributes["RedrivePolicy"] = policy.to_string().into();
    }
    Json(json!({"Attributes": attributes})).into_response()
}

fn denied() -> Response {
    let denied = json!({"__type": "com.amazonaws.sqs#AccessDeniedException", "message": "no"});
    (StatusCode::FORBIDDEN, Json(denied)).into_response()
}

impl State {
    fn change_begins(&mut self) {
        self.changes += 1;
        self.most_changes = self.most_changes.max(self.changes);
    }

    fn in_flight(&self) -> usize {
        let now = Instant::now();
        self.in_flight.values().filter(|until| **until > now).count()
    }

    fn receive(&mut self, request: &Value) -> Value {
        let first = self.handed_out;
        self.handed_out += 10;
        let names: Vec<_> = (first..self.handed_out).map(|number| number.to_string()).collect();
        let until = until(&request["VisibilityTimeout"]);
        self.in_flight.extend(names.iter().map(|name| (name.clone(), until)));
        self.most_in_flight = self.most_in_flight.max(self.in_flight());
        let message = |name| json!({"MessageId": name, "ReceiptHandle": name, "Body": "{}"});
        json!({"Messages": names.iter().map(message).collect::<Vec<_>>()})
    }

    fn change(&mut self, request: &Value) -> Response {
        if request["Entries"][0]["VisibilityTimeout"] != 0 {
            return self.extend(request);
        }
        self.releases_begun += 1;
        match self.releases {
            Releases::AfterOneError if self.releases_begun == 1 => denied(),
            Releases::Errors => denied(),
            _ => Json(self.release(request)).into_response(),
        }
    }

    fn extend(&mut self, request: &Value) -> Response {
        self.extensions += 1;
        let entries = request["Entries"].as_array().unwrap();
        for entry in entries {
            let handle = entry["ReceiptHandle"].as_str().unwrap().to_owned();
            let until = until(&entry["VisibilityTimeout"]);
            self.taken_back += usize::from(self.in_flight.insert(handle, until).is_none());
        }
        let ids: Vec<_> = entries.iter().map(|entry| json!({"Id": entry["Id"]})).collect();
        Json(json!({"Successful": ids, "Failed": []})).into_response()
    }

    fn release(&mut self, request: &Value) -> Value {
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in request["Entries"].as_array().unwrap() {
            let handle = entry["ReceiptHandle"].as_str().unwrap();
            let is_refused = match self.releases {
                Releases::AfterOneFailure => self.refused.insert(handle.to_owned()),
                Releases::None => true,
                _ => false,
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

fn until(visibility: &Value) -> Instant {
    Instant::now() + Duration::from_secs(visibility.as_u64().unwrap())
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap()
}
