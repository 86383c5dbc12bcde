//! Tasks at the edge of what the domain accepts: over HTTP, over HTTP for later, and by the queue;
//! equal in the cache, the database, lists, facts and the history.

use std::collections::HashMap;

use serde_json::{Value, json};
use test_values::hostile;
use uuid::Uuid;

use super::{Whole, get, post};
use crate::relay::subscriber::Subscriber;
use crate::support::system::{Api, TestSystem, event, eventually};

/// Whether the task has every member that was sent.
fn has_all_of(task: &Value, sent: &Value) -> bool {
    sent.as_object().expect("an object").iter().all(|(name, value)| task[name] == *value)
}

/// Tasks created in each of the three ways, by their identifiers.
async fn create(system: &TestSystem, writer: &Api) -> HashMap<String, Value> {
    let mut sent = HashMap::new();
    for (number, new) in hostile::new_tasks(8).into_iter().enumerate() {
        let created = post(system, writer, &new, &[]).await;
        sent.insert(created["id"].as_str().expect("an id").to_owned(), new.clone());
        let key = number.to_string();
        let headers = [("prefer", "respond-async"), ("idempotency-key", key.as_str())];
        let accepted = post(system, writer, &new, &headers).await;
        sent.insert(accepted["task"].as_str().expect("a task").to_owned(), new.clone());

        let subject = Uuid::now_v7().to_string();
        let body = event(&key, "create-task", &subject, &new);
        let body = events::queue_text(body.into()).into_owned();
        system.send(&[(subject.clone(), body)]).await;
        sent.insert(subject, new);
    }
    sent
}

#[tokio::test]
async fn tasks_at_the_edge_are_equal_everywhere() {
    let Whole { system, writer, reader, facts, _running } = Whole::start().await;
    let created = create(&system, &writer).await;
    system.processed(i64::try_from(created.len()).expect("a number")).await;

    let mut tasks = HashMap::new();
    for (id, new) in &created {
        let (status, task) = get(&system, &reader, &format!("/v1/tasks/{id}")).await;
        assert!(status == 200 && has_all_of(&task, new), "{task} for {new}");
        tasks.insert(id.clone(), task);
    }
    let (_, page) = get(&system, &reader, "/v1/tasks?limit=100").await;
    let listed = page["tasks"].as_array().expect("tasks");
    assert_eq!((listed.len(), &page["unreadable"]), (tasks.len(), &Value::Null));
    assert!(
        listed.iter().all(|task| task["id"].as_str().and_then(|id| tasks.get(id)) == Some(task))
    );

    let mut subscriber = Subscriber::new(&system, &facts.url);
    subscriber.receives_everything().await;
    assert!(subscriber.facts().all(|fact| {
        fact["subject"].as_str().and_then(|id| tasks.get(id)) == Some(&fact["data"])
    }));
    for (id, task) in &tasks {
        let path = format!("/v1/tasks/{id}/history");
        let history = eventually("the version is in the history", async || {
            let (status, page) = get(&system, &reader, &path).await;
            (status == 200).then_some(page)
        })
        .await;
        assert_eq!(history["history"][0]["task"], *task);
    }
}

#[tokio::test]
async fn a_day_that_is_none_is_refused_at_every_door_by_its_place() {
    let system = TestSystem::new().await;
    let (writer, reader) = (system.writer().await, system.reader().await);
    let request = system.client.post(format!("{}/v1/tasks", writer.url));
    let year_zero = json!({"title": "Year zero", "due_date": "0000-01-01"});
    let response = request.bearer_auth(system.token("acme")).json(&year_zero).send().await;
    let response = response.expect("an answer");
    assert_eq!(response.status(), 422);
    let problem: Value = response.json().await.expect("JSON");
    assert_eq!(problem["errors"][0]["pointer"], "/due_date");
    for filter in ["due_before", "due_after"] {
        let (status, problem) =
            get(&system, &reader, &format!("/v1/tasks?{filter}=0000-12-31")).await;
        assert_eq!((status, &problem["parameter"]), (400, &json!(filter)));
    }
}
