//! Whatever is accepted makes the whole way, and what cannot be read is its own fault only.

mod broken;
mod edge;
mod reserved;
mod times;

use local_stack::{Function, Queue};
use serde_json::Value;

use crate::history::projector;
use crate::relay::{facts_queue, relay};
use crate::support::system::{Api, TestSystem};

/// Every function that a task meets, from its writes to its history, and a queue of its facts for the test.
struct Whole {
    system: TestSystem,
    writer: Api,
    reader: Api,
    facts: Queue,
    _running: [Function; 3],
}

impl Whole {
    async fn start() -> Self {
        let system = TestSystem::new().await;
        system.create_tables().await;
        let (facts, history) = (facts_queue(&system).await, facts_queue(&system).await);
        let (writer, reader, worker) =
            (system.writer().await, system.reader().await, system.worker().await);
        let relay = relay(&system, "relay", &[&facts.url, &history.url]).await;
        let projector = projector(&system, &history.url).await;
        Self { system, writer, reader, facts, _running: [worker, relay, projector] }
    }
}

/// A page or a task as JSON, with its status.
async fn get(system: &TestSystem, reader: &Api, path: &str) -> (u16, Value) {
    let request = system.client.get(format!("{}{path}", reader.url));
    let response = request.bearer_auth(system.token("acme")).send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

/// A task created over HTTP, perhaps under headers of its own.
async fn post(system: &TestSystem, writer: &Api, task: &Value, headers: &[(&str, &str)]) -> Value {
    let request = system.client.post(format!("{}/v1/tasks", writer.url));
    let request = request.bearer_auth(system.token("acme")).json(task);
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let response = request.send().await.expect("an answer");
    assert!(response.status().is_success(), "{} for {task}", response.status());
    response.json().await.expect("JSON")
}
