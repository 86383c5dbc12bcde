//! `publish`, as a producer uses it.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use local_stack::repository;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{World, binary, event};

/// Runs `publish` on standard input, against the world's queue.
fn publish(world: &World, arguments: &[&str], input: &str) -> Output {
    let mut publish = Command::new(binary("publish"))
        .args(arguments)
        .current_dir(repository())
        .env_clear()
        .envs(world.environment(&world.database.owner_url).iter())
        .env("QUEUE_URL", &world.queue.url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    publish.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
    publish.wait_with_output().expect("an end")
}

#[tokio::test]
async fn events_from_standard_input_are_sent_in_order_and_the_bad_ones_named() {
    let world = World::new().await;
    let _worker = world.worker().await;
    let subject = Uuid::now_v7().to_string();
    let mut lines = vec![event("0", "create-task", &subject, &json!({"title": "Name 0"}))];
    for number in 1..25 {
        let patch =
            json!({"patch": {"title": format!("Name {number}")}, "expected_version": number});
        lines.push(event(&number.to_string(), "update-task", &subject, &patch));
    }
    lines.insert(3, "{\"not\": \"an event\"}".to_owned());

    let output = publish(&world, &["--json"], &lines.join("\n"));
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["sent"], 25);
    assert_eq!(report["refused"][0]["place"], "standard input:4");
    assert_eq!(report["refused"][0]["reason"], "schema_violation");
    world.processed(25).await;
    let applied = "SELECT count(*) FROM tasks WHERE title = 'Name 24' AND version = 25";
    assert_eq!(world.count(applied).await, 1);
}

#[tokio::test]
async fn files_are_sent_and_a_dry_run_sends_nothing() {
    let world = World::new().await;
    let file = "events/examples/valid/dev.task-app.create-task.v1.full.json";
    let dry = publish(&world, &["--dry-run", file], "");
    assert_eq!(String::from_utf8_lossy(&dry.stdout), "1 valid, 0 refused\n");
    let sent = publish(&world, &[file], "");
    assert_eq!(String::from_utf8_lossy(&sent.stdout), "1 sent, 0 refused\n");
    assert!(sent.status.success());

    let _worker = world.worker().await;
    world.processed(1).await;
}

#[tokio::test]
async fn what_cannot_run_says_why() {
    let world = World::new().await;
    let missing = publish(&world, &["no-such-file.json"], "");
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("reading no-such-file.json"));
    let file = "events/examples/valid/dev.task-app.create-task.v1.full.json";
    let url = format!("{}-that-does-not-exist", world.queue.url);
    let nowhere = publish(&world, &["--queue-url", &url, file], "");
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("NonExistentQueue"), "{nowhere:?}");
}
