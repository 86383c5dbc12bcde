//! Two versions of a command side by side: both are taken, and mean the same to the rules.

use events::decode;
use serde_json::{Value, json};

/// The valid example `file`, of the older version.
fn older(file: &str) -> Value {
    let text = crate::files("examples/valid").remove(file).expect("an example");
    serde_json::from_str(&text).expect("an example is JSON")
}

#[test]
fn the_older_version_is_read_as_the_newer() {
    for verb in ["add-tag", "remove-tag"] {
        let older = older(&format!("dev.task-app.{verb}.v1.expected-version.json"));
        let mut newer = older.clone();
        newer["type"] = json!(format!("dev.task-app.{verb}.v2"));
        newer["data"] = json!({
            "tags": [older["data"]["tag"]],
            "expected_version": older["data"]["expected_version"],
        });
        let command = |event: &Value| decode(&event.to_string()).expect("a command").command;
        assert_eq!(command(&older), command(&newer));
    }
}

#[test]
fn data_of_one_version_is_refused_under_the_other() {
    let mut event = older("dev.task-app.add-tag.v1.plain.json");
    event["type"] = json!("dev.task-app.add-tag.v2");
    let error = decode(&event.to_string()).expect_err("not data of version 2");
    assert_eq!(error.pointer, "/data/tag");
}
