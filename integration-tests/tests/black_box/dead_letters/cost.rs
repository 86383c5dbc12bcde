//! `dead-letters cost`: what was refused because a command was missing.

use domain::Actor;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::Fixture;
use super::screens::Screen;
use crate::support::system::{TestSystem, event, eventually};

#[tokio::test]
async fn what_was_refused_while_a_command_was_missing_is_listed() {
    let system = TestSystem::new().await;
    let fixture = Fixture::of(system.aws.clone(), system.sqs.clone(), system.queue.clone());
    let _worker = system.worker().await;
    let task = Uuid::now_v7().to_string();
    let other = Uuid::now_v7().to_string();
    let commands = [
        (task.clone(), event("1", "create-task", &task, &json!({"title": ""}))),
        (task.clone(), event("2", "complete-task", &task, &json!({}))),
        (other.clone(), event("3", "complete-task", &other, &json!({}))),
    ];
    system.send(&commands).await;
    system.processed(2).await;
    eventually("one is a dead letter", async || (fixture.depth().await == (1, 0)).then_some(()))
        .await;

    let run = async |arguments: &[&str]| {
        let mut tool = fixture.command(&fixture.aws.endpoint, arguments);
        tool.env("DATABASE_URL", system.database.operator_url.expose_secret()).output().await
    };
    let output = run(&["cost", fixture.name(), "1", "--json"]).await.expect("a run");
    assert!(output.status.success(), "{output:?}");
    let cost: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&cost["event_id"], &cost["processed"]), (&json!("1"), &json!(null)));
    assert_eq!((&cost["task"], &cost["complete"]), (&json!(task), &json!(true)));
    let refused = cost["refused"].as_array().expect("a list");
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0]["id"], "2");
    assert_eq!(refused[0]["result"], json!({"refused": {"code": "task_not_found"}}));

    let output = run(&["cost", fixture.name(), "1"]).await.expect("a run");
    let screen = Screen::default().with(fixture.name(), "task-commands-dlq.fifo");
    screen.shows("cost", &[(&["cost", fixture.name(), "1"], output)]);
    assert_eq!(fixture.depth().await, (1, 0));

    let output = fixture.run(&["cost", fixture.name(), "1"]).await;
    assert_eq!(output.status.code(), Some(2), "without DATABASE_URL");
}

#[tokio::test]
async fn what_another_caller_did_under_the_same_key_is_not_what_became_of_a_command() {
    let system = TestSystem::new().await;
    let fixture = Fixture::of(system.aws.clone(), system.sqs.clone(), system.queue.clone());
    let (writer, _worker) = (system.writer().await, system.worker().await);
    let request = system.client.post(format!("{}/v1/tasks", writer.url));
    let request = request.bearer_auth(system.token_of("bob", "acme"));
    let request = request.header("idempotency-key", "one").json(&json!({"title": "Buy milk"}));
    assert_eq!(request.send().await.expect("an answer").status(), 201);

    let task = Uuid::now_v7().to_string();
    let deferred = |caller: &str, id: &str| {
        let body = event(id, "create-task", &task, &json!({"title": ""}));
        let mut body: Value = serde_json::from_str(&body).expect("JSON");
        body["source"] = "urn:task-app:http".into();
        body["actor"] = caller.into();
        body["idempotencykey"] = "one".into();
        (task.clone(), body.to_string())
    };
    let bob: Actor = "bob".parse().expect("a caller");
    let own = bob.own_key("one");
    system.send(&[deferred("ann", "one"), deferred("bob", &own)]).await;
    eventually("both are dead letters", async || (fixture.depth().await == (2, 0)).then_some(()))
        .await;
    for (id, took_effect) in [("one", false), (own.as_str(), true)] {
        let mut tool =
            fixture.command(&fixture.aws.endpoint, &["cost", fixture.name(), id, "--json"]);
        tool.env("DATABASE_URL", system.database.operator_url.expose_secret());
        let output = tool.output().await.expect("a run");
        assert!(output.status.success(), "{output:?}");
        let cost: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(cost["processed"].is_object(), took_effect, "{cost}");
    }
}
