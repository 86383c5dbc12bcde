//! Commands that took effect before: an operator knows before they are sent.

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::fixture::Replay;
use crate::dead_letters::fixture::{Fixture, stderr};
use crate::support::system::{TestSystem, event};

#[tokio::test]
async fn a_command_that_took_effect_is_named_before_it_is_replayed_and_has_no_second_effect() {
    let system = TestSystem::new().await;
    let queues = Fixture::of(system.aws.clone(), system.sqs.clone(), system.queue.clone());
    let replay = Replay::journal(queues);
    let _worker = system.worker().await;
    let (task, other) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    let done = event("1", "create-task", &task, &json!({"title": "Milk"}));
    let refused = event("2", "complete-task", &other, &json!({}));
    system.send(&[(task.clone(), done.clone()), (other.clone(), refused.clone())]).await;
    system.processed(2).await;
    replay.rejected("lost", &[(&task, done), (&other, refused)]).await;

    let queue = replay.queues.name();
    let run = async |words: &[&str], database: &str| {
        let mut tool = replay.command(&replay.queues.aws.endpoint, words);
        tool.env("DATABASE_URL", database).output().await.expect("a run")
    };
    let operator = system.database.operator_url.expose_secret();
    let dry = ["replay", queue, "--dry-run", "--json"];
    for (database, expected) in
        [(operator, json!(1)), ("", json!(null)), ("postgres://x@127.0.0.1:1/x", json!(null))]
    {
        let output = run(&dry, database).await;
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(report["took_effect"], expected, "{output:?}");
    }
    let output = run(&["replay", queue, "--why", "a test"], operator).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let named = "note: /black-box 1 took effect already: to replay it has no second effect\n";
    assert!(stderr(&output).contains(named), "{output:?}");
    assert!(!stderr(&output).contains("/black-box 2"), "it was refused: {output:?}");
    assert_eq!(system.count("SELECT count(*) FROM tasks").await, 1);
}
