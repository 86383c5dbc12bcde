//! `dead-letters cost`: what was refused because a command was missing.

use secrecy::ExposeSecret as _;
use serde_json::json;
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
    let cost: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
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
