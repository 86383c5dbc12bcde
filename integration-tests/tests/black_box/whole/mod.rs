//! Whatever is accepted makes the whole way, and what cannot be read is its own fault only.

mod broken;
mod edge;
mod reserved;
mod times;

use serde_json::Value;

use crate::support::system::{Api, TestSystem};

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
