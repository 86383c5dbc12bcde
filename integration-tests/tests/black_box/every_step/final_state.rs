//! What must be so in the end, whatever failed on the way.

use aws_sdk_sqs::types::QueueAttributeName;
use domain::Task;
use local_stack::Queue;
use serde_json::Value;
use sqlx::types::Json;

use crate::support::system::{Api, TestSystem, eventually};

/// Waits until the queue holds nothing, neither visible nor in flight; fails unless so many messages
/// are in its dead-letter queue.
pub(crate) async fn is_empty(system: &TestSystem, queue: &Queue, dead_letters: usize) {
    eventually("the queue is empty", async || {
        (messages(system, &queue.url).await == 0).then_some(())
    })
    .await;
    assert_eq!(messages(system, &queue.dead_letter_url).await, dead_letters, "dead letters");
}

/// Messages in a queue, those in flight included.
async fn messages(system: &TestSystem, url: &str) -> usize {
    let request = system.sqs.get_queue_attributes().queue_url(url);
    let request = request
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
        .attribute_names(QueueAttributeName::ApproximateNumberOfMessagesNotVisible);
    let counts = request.send().await.expect("an answer").attributes.expect("attributes");
    counts.values().map(|count| count.parse::<usize>().expect("a count")).sum()
}

/// The tasks as PostgreSQL has them.
pub(crate) async fn tasks(system: &TestSystem) -> Vec<Task> {
    let tasks: Vec<Json<Task>> = sqlx::query_scalar("SELECT to_jsonb(tasks) FROM tasks")
        .fetch_all(&system.owner)
        .await
        .expect("tasks");
    tasks.into_iter().map(|Json(task)| task).collect()
}

/// The status and the JSON body of a resource.
pub(crate) async fn get(system: &TestSystem, reader: &Api, path: &str) -> (u16, Value) {
    let request = system.client.get(format!("{}{path}", reader.url));
    let response = request.bearer_auth(system.token("acme")).send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

/// The same of one that may come from a cache, however old it is.
pub(crate) async fn get_cached(system: &TestSystem, reader: &Api, path: &str) -> (u16, Value) {
    let request = system.client.get(format!("{}{path}", reader.url));
    let request = request.header("cache-control", "max-age=86400");
    let response = request.bearer_auth(system.token("acme")).send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}
