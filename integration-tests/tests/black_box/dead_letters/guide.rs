//! The commands of `docs/dead-letters.md`.

use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::fixture::Fixture;
use crate::support::documents::{blocks, document};
use crate::support::system::{binary, event};

#[tokio::test]
async fn every_command_of_the_guide_works() {
    let fixture = Fixture::alone("eu-west-3", "task-commands").await;
    let details = json!({"reason": "schema_violation", "detail": "/data/title: must not be blank"});
    let attributes =
        [("DeadLetterReason", "schema_violation"), ("DeadLetter", &details.to_string())];
    let body = event("milk-1", "create-task", "task", &json!({"title": " "}));
    fixture.put("task", &body, &attributes).await;

    let guide = document("docs/dead-letters.md");
    let commands = blocks(&guide, "sh");
    assert!(commands.len() > 4, "{commands:?}");
    // What is exported by one command is imported by another.
    let files = TempDir::new().expect("a folder");
    let tool = binary("dead-letters");
    let folder = tool.parent().expect("a folder").display();
    let path = format!("{folder}:/usr/local/bin:/usr/bin:/bin");
    let journal = TempDir::new().expect("a folder");
    for block in commands {
        let run = Command::new("bash")
            .current_dir(files.path())
            .args(["-euo", "pipefail", "-c", block])
            .env_clear()
            .envs(fixture.aws.environment().iter())
            .env("PATH", &path)
            .env("XDG_STATE_HOME", journal.path())
            .output()
            .expect("a run");
        assert!(run.status.success(), "{block}{run:?}");
        assert!(!run.stdout.is_empty(), "{block}");
    }
    assert_eq!(fixture.depth().await, (0, 0), "it was replayed");
}
