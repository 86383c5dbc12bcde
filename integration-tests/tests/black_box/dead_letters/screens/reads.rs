//! What is in a queue.

use serde_json::json;

use super::Screen;
use crate::dead_letters::fixture::Fixture;
use crate::support::system::event;

/// Where a queue is alone, so that it may have a name that people would give it.
pub(super) async fn orders() -> (Fixture, Screen) {
    let region = format!("screen-{}", uuid::Uuid::new_v4().simple());
    let fixture = Fixture::alone(&region, "orders").await;
    let screen = Screen::default()
        .with(&region, "eu-west-1")
        .with(&fixture.aws.endpoint, "https://sqs.example")
        .with(&fixture.journal_path(), "/home/ada/.local/state");
    (fixture, screen)
}

/// Dead letters of three causes, in three groups.
pub(super) async fn filled(fixture: &Fixture) {
    let rejected = |number: u32, reason: &str, detail: &str| {
        let details = json!({
            "reason": reason, "detail": detail, "handler": "command-worker", "attempts": 1,
            "queue": "arn:aws:sqs:eu-west-1:000000000000:orders.fifo",
            "message_id": format!("0192f1a0-7c3e-7b44-9a53-{number:012}"),
            "failed_at": "2026-01-31T09:30:00Z",
        });
        (reason.to_owned(), details.to_string())
    };
    for (number, title) in [(1, " "), (2, "\u{1b}[31m"), (3, "Milk")] {
        let (reason, details) = match number {
            1 => rejected(1, "schema_violation", "/data/title: must not be blank"),
            2 => rejected(2, "schema_violation", "/data/title: must not have \u{1b}"),
            _ => rejected(3, "database_unavailable", "no connection within 5 s"),
        };
        let attributes =
            [("DeadLetterReason", &*reason), ("DeadLetter", &*details), ("priority", "high")];
        let body =
            event(&format!("milk-{number}"), "create-task", "task-1", &json!({"title": title}));
        fixture.put(&format!("task-{number}"), &body, &attributes).await;
    }
    fixture.put("task-3", "no JSON", &[]).await;
}

#[tokio::test]
async fn what_reads_print() {
    let (fixture, screen) = orders().await;
    filled(&fixture).await;
    let name = fixture.name();
    for (snapshot, words) in [
        ("queues", &["queues"][..]),
        ("ls", &["ls", name]),
        (
            "ls-of-a-sample",
            &["ls", name, "--not", "reason=-", "--sample", "3", "--reason", "data*"],
        ),
        ("groups", &["groups", name]),
        ("show", &["show", name, "milk-2"]),
    ] {
        screen.shows(snapshot, &[(words, fixture.run(words).await)]);
    }
    let words = ["groups", name, "--reason", "schema_*"];
    let mut tool = fixture.command(&fixture.aws.endpoint, &words);
    let output = tool.env("CLICOLOR_FORCE", "1").output().await.expect("a run");
    screen.shows("groups-in-colour", &[(&words, output)]);
}
