//! The main job: what anyone publishes to the queue becomes a task that the API serves.

use std::fs;

use local_stack::repository;
use serde_json::Value;

use crate::support::system::{TestSystem, eventually};

#[tokio::test]
async fn a_published_command_becomes_a_task_that_the_api_serves() {
    let system = TestSystem::new().await;
    let _worker = system.worker().await;
    let reader = system.reader().await;

    let mut subject = String::new();
    for example in ["create-task.v1.minimal", "update-task.v1.rename", "complete-task.v1.plain"] {
        let file = format!("events/examples/valid/dev.task-app.{example}.json");
        let body = fs::read_to_string(repository().join(file)).expect("an example");
        let event: Value = serde_json::from_str(&body).expect("JSON");
        subject = event["subject"].as_str().expect("a subject").to_owned();
        system.send(&[(subject.clone(), body)]).await;
    }

    let token = system.token("local");
    let url = format!("{}/v1/tasks/{subject}", reader.url);
    let task: Value = eventually("the task is completed", async || {
        let request = system.client.get(&url).bearer_auth(&token).send();
        let response = request.await.expect("an answer");
        if !response.status().is_success() {
            return None;
        }
        let task: Value = response.json().await.expect("JSON");
        (task["status"] == "completed").then_some(task)
    })
    .await;
    assert_eq!(task["title"], "Buy oat milk");
    assert_eq!(task["version"], 3);

    let request = system.client.get(format!("{}/v1/tasks", reader.url)).bearer_auth(&token).send();
    let list: Value = request.await.expect("an answer").json().await.expect("JSON");
    assert_eq!(list["tasks"], Value::Array(vec![task]));
}
