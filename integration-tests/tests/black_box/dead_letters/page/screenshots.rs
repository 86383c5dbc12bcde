//! The pictures of README.md and docs/dead-letters.md.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::browser::Browser;
use super::server::Server;
use crate::dead_letters::fixture::Fixture;
use crate::support::system::event;

/// What rejected so many messages of a type, and why.
const CAUSES: [(usize, &str, &str, &str); 4] = [
    (23, "create-task", "schema_violation", "/data/title: must not be blank"),
    (9, "update-task", "schema_violation", "/data/dueAt: \"tomorrow\" is no date"),
    (5, "complete-task", "unsupported_type", "no handler for version 3"),
    (2, "create-task", "malformed_json", "EOF while parsing a string at column 96"),
];

async fn put(fixture: &Fixture, cause: usize) {
    let (count, kind, reason, detail) = CAUSES[cause];
    for number in 0..count {
        let details = json!({
            "reason": reason, "detail": detail, "handler": "command-worker 0.1.0", "attempts": 1,
            "failed_at": "2026-11-25T22:04:11Z",
            "queue": "arn:aws:sqs:eu-central-2:000000000000:task-commands.fifo",
        });
        let details = details.to_string();
        let attributes = [("DeadLetterReason", reason), ("DeadLetter", &details)];
        let group = format!("0192f1a0-7c3e-7b44-9a5{cause}-{number:012}");
        let id = format!("{kind}-{number}");
        let body = event(&id, kind, &group, &json!({"title": " ", "tags": ["shop", "milk"]}));
        fixture.put(&group, &body, &attributes).await;
    }
}

#[tokio::test]
#[ignore = "pictures, for after a change of the page: CONTRIBUTING.md says what to do with them"]
async fn pictures_are_taken() {
    let fixture = Fixture::alone("eu-central-2", "task-commands").await;
    put(&fixture, 3).await;
    let server = Server::start(&fixture).await;
    let browser = Browser::start().await;
    browser.look(1_200, 1_100, "light").await;
    browser.open(&server.address).await;
    // The depth rises.
    for (cause, samples) in [(2, 2), (1, 3), (0, 5)] {
        put(&fixture, cause).await;
        let path = "document.querySelector('.sparkline path')?.getAttribute('d')";
        browser.until(&format!("{path}?.split('L').length >= {samples}")).await;
    }
    browser.value("document.querySelector('#read-queues').click()").await;
    browser.until("document.querySelector('#status').textContent === 'Read.'").await;
    let queue = format!("location.hash = '#queue={}'", fixture.name());
    browser.value(&queue).await;
    browser.until("document.querySelectorAll('#messages tbody tr').length > 30").await;
    browser.value("document.activeElement.blur()").await;
    save("dead-letters-light", &browser).await;
    browser.look(1_200, 1_100, "dark").await;
    save("dead-letters-dark", &browser).await;
    let message = format!("location.hash = '#queue={}&message=update-task-1'", fixture.name());
    browser.value(&message).await;
    browser.until("document.querySelector('#body')").await;
    browser.look(390, 844, "dark").await;
    browser.value("document.querySelector('#message-heading').scrollIntoView()").await;
    save("dead-letters-phone", &browser).await;
}

async fn save(name: &str, browser: &Browser) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("{name}.png"));
    fs::write(file, browser.screenshot().await).expect("written");
}
